import CommandLine
import Foundation

exit(await CommandProgram(.ofProcess()).exitCode())
