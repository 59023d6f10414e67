import CommandLine

CommandProgram.runProcess()
