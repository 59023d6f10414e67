import FoundationEssentials
import Glibc
import RunbookRunner

extension CommandContext {
    /// The context of this process: its arguments, environment, streams and clocks.
    package static func ofProcess(_ signals: ProcessSignals) -> CommandContext {
        // A reader that goes away ends the writing, not the process.
        signal(SIGPIPE, SIG_IGN)
        let environment = ProcessInfo.processInfo.environment
        let isDumb = environment["TERM"] == "dumb"
        return CommandContext(
            arguments: Array(ProcessInfo.processInfo.arguments.dropFirst()), environment: environment,
            output: DescriptorOutput(STDOUT_FILENO, isDumb: isDumb),
            errors: DescriptorOutput(STDERR_FILENO, isDumb: isDumb), timepiece: SystemTimepiece(),
            signals: signals, currentDirectory: ".", userName: { ProcessInfo.processInfo.userName },
            service: RunbookService(opener: EngineOpener(isOfProcess: true)))
    }
}
