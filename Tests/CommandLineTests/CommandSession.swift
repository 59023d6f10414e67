import CommandLine
import Foundation
import Reporting
import RunbookModel
import RunbookRunner

/// Runs commands in-process in a folder, with the real drivers.
struct CommandSession {
    var folder: String
    var environment: [String: String] = [:]
    var terminal: TerminalSize?

    struct Ending {
        var status: ExitStatus
        var output: String
        var errors: String
    }

    func run(_ arguments: String...) async -> Ending { await run(arguments) }

    func run(_ arguments: [String]) async -> Ending {
        let output = CapturedOutput(terminal: terminal)
        let errors = CapturedOutput(terminal: terminal)
        let status = await CommandProgram(
            CommandContext(
                arguments: arguments, environment: environment, output: output, errors: errors,
                timepiece: SystemTimepiece(), signals: NoSignals(), currentDirectory: folder, userName: { "ada" },
                service: RunbookService(opener: EngineOpener()))
        ).run()
        return Ending(status: status, output: output.text, errors: errors.text)
    }

    /// The JSON document of a command.
    func document(_ arguments: [String]) async throws -> (ExitStatus, [String: Any]) {
        let ending = await run(arguments + ["--format", "json"])
        let document = try JSONSerialization.jsonObject(with: Data(ending.output.utf8)) as? [String: Any]
        return (ending.status, document ?? [:])
    }
}

private struct NoSignals: SignalSource {
    private struct Subscription: SignalSubscription {
        func cancel() {}
    }

    func listen(_ handler: @escaping @Sendable (Int32) -> Void) -> any SignalSubscription { Subscription() }
}
