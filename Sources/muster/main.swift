import CommandLine
import Foundation
import Glibc
import Reporting
import RunbookRunner

// A reader that goes away ends the writing, not the process.
unsafe signal(SIGPIPE, SIG_IGN)

let environment = ProcessInfo.processInfo.environment
let isDumb = environment["TERM"] == "dumb"
let status = await CommandProgram(
    CommandContext(
        arguments: Array(Swift.CommandLine.arguments.dropFirst()), environment: environment,
        output: DescriptorOutput(STDOUT_FILENO, isDumb: isDumb),
        errors: DescriptorOutput(STDERR_FILENO, isDumb: isDumb), timepiece: SystemTimepiece(),
        signals: ProcessSignals(), currentDirectory: ".", userName: NSUserName(),
        service: RunbookService(opener: EngineOpener()))
).run()
exit(status.rawValue)
