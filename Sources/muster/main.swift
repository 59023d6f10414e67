import CommandLine
import Glibc

let signals = ProcessSignals()
exit(await CommandProgram(.ofProcess(signals)).exitCode())
