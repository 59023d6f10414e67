/// Text that may hold a secret. It prints masked; `revealed` is for the one place that needs it.
package struct Redacted: Sendable, Hashable {
    package let revealed: String

    package init(_ revealed: String) { self.revealed = revealed }
}

extension Redacted: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "****" }
    package var debugDescription: String { "****" }
    /// Without it `dump` would print what is stored.
    package var customMirror: Mirror { Mirror(self, children: []) }
}
