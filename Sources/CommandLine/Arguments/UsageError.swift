/// A command line that cannot be understood; exit 64.
package struct UsageError: Error, Sendable, Hashable {
    package var message: String
    /// The command that was meant, when that much was clear: its help is named.
    package var command: String?

    package init(_ message: String, command: String? = nil) {
        self.message = message
        self.command = command
    }
}
