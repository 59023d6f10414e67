import Reporting
import RunbookModel

/// What a command came to: one document, printed as text or JSON, and how the process ends.
struct Answer: Sendable {
    var document: any TextAnswer
    var status: ExitStatus
    /// Whether it says why there is no answer: its text then belongs on stderr.
    var isProblem: Bool

    init(_ document: any TextAnswer, _ status: ExitStatus, isProblem: Bool = false) {
        self.document = document
        self.status = status
        self.isProblem = isProblem
    }

    /// An answer whose document knows its exit code.
    init(_ document: any TextAnswer, exitCode: Int, isProblem: Bool = false) {
        self.init(document, ExitStatus(rawValue: Int32(exitCode)) ?? .failed, isProblem: isProblem)
    }
}
