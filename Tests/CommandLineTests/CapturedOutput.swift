import Reporting
import Synchronization

/// A stream that keeps what it got.
final class CapturedOutput: TextOutput {
    let terminal: TerminalSize?
    private let captured = Mutex("")

    init(terminal: TerminalSize? = nil) { self.terminal = terminal }

    var text: String { captured.withLock(\.self) }

    func write(_ text: String) { captured.withLock { $0 += text } }
}
