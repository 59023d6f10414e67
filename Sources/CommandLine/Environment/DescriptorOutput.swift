import Glibc
package import Reporting
import Synchronization

/// A stream of the process. A reader that has gone (`muster status | head -1`) is no error: the rest goes nowhere.
package final class DescriptorOutput: TextOutput {
    private let descriptor: Int32
    private let isTerminal: Bool
    /// Held while writing, so that pieces do not mix. True once the reader has gone.
    private let isClosed = Mutex(false)

    /// - Parameter isDumb: whether the terminal knows no cursor movements (`TERM=dumb`); it then counts as a file.
    package init(_ descriptor: Int32, isDumb: Bool = false) {
        self.descriptor = descriptor
        isTerminal = !isDumb && isatty(descriptor) == 1
    }

    package var terminal: TerminalSize? {
        guard isTerminal else { return nil }
        var size = winsize()
        // ioctl_tty(2): TIOCGWINSZ; a terminal that does not know its size answers 0.
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return TerminalSize(columns: 80, rows: 24)
        }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    package func write(_ text: String) {
        isClosed.withLock { isClosed in
            var rest = ArraySlice(text.utf8)
            while !isClosed, !rest.isEmpty {
                let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    unsafe poll(&wait, 1, -1)
                } else if errno != EINTR {
                    isClosed = true
                }
            }
        }
    }
}
