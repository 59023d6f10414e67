package import Reporting
package import RunbookRunner

/// Everything that a command may touch: tests run commands in-process with a context of their own.
package struct CommandContext: Sendable {
    /// Without the program's name.
    package var arguments: [String]
    package var environment: [String: String]
    package var output: any TextOutput
    package var errors: any TextOutput
    package var timepiece: any Timepiece
    package var signals: any SignalSource
    /// Where relative paths start; `.` for the process's own.
    package var currentDirectory: String
    /// The operating system's name for who runs this.
    package var userName: @Sendable () -> String
    package var service: RunbookService
    /// Who is asked before something is changed.
    package var answers: any AnswerSource = TerminalAnswers()
    /// What must not be printed; it grows as secrets are met.
    package let secrets = SecretBook()

    package init(
        arguments: [String], environment: [String: String], output: any TextOutput, errors: any TextOutput,
        timepiece: any Timepiece, signals: any SignalSource, currentDirectory: String,
        userName: @escaping @Sendable () -> String,
        service: RunbookService
    ) {
        self.arguments = arguments
        self.environment = environment
        self.output = output
        self.errors = errors
        self.timepiece = timepiece
        self.signals = signals
        self.currentDirectory = currentDirectory
        self.userName = userName
        self.service = service
    }

    /// A path as the user wrote it, from where the command runs.
    func path(_ written: String) -> String {
        written.hasPrefix("/") || currentDirectory == "." ? written : currentDirectory + "/" + written
    }

    /// For whom text on this stream is laid out.
    func layout(for stream: any TextOutput, _ arguments: ParsedArguments?) -> TextLayout {
        let wantsColour = arguments?.isOn(.noColor) != true && (environment["NO_COLOR"] ?? "").isEmpty
        return TextLayout(
            width: stream.terminal?.columns, style: TextStyle(isColoured: stream.terminal != nil && wantsColour))
    }
}
