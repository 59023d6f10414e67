private import Glibc

/// Who answers a question that a command asks before it changes something.
package protocol AnswerSource: Sendable {
    /// The line that was typed; nil when nobody is there to ask.
    func answer() -> String?
}

/// A person at the terminal of this process.
package struct TerminalAnswers: AnswerSource {
    package init() {}

    package func answer() -> String? { isatty(STDIN_FILENO) == 1 ? readLine() ?? "" : nil }
}
