import Reporting
import Synchronization

/// A stream that keeps what it got.
final class CapturedOutput: TextOutput {
    let terminal: TerminalSize?
    private let captured = Mutex<[String]>([])

    init(terminal: TerminalSize? = nil) { self.terminal = terminal }

    var pieces: [String] { captured.withLock(\.self) }
    var text: String { pieces.joined() }

    func write(_ text: String) { captured.withLock { $0.append(text) } }
}
