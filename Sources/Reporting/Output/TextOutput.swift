/// Where text goes: stdout, stderr, or a test's memory. Any thread may write.
package protocol TextOutput: Sendable {
    /// The terminal behind it, as wide and high as it is now; nil when it is a file or a pipe.
    var terminal: TerminalSize? { get }

    /// Writes it all, in one piece. Does nothing once the reader has gone.
    func write(_ text: String)
}

/// A terminal's size in characters.
package struct TerminalSize: Sendable, Hashable {
    package var columns: Int
    package var rows: Int

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
    }
}
