import CommandLine
import Foundation

let signals = ProcessSignals()
exit(await CommandProgram(.ofProcess(signals)).exitCode())
