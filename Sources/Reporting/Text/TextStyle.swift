/// Colour and weight on a terminal; plain text everywhere else.
package struct TextStyle: Sendable {
    package let isColoured: Bool

    package init(isColoured: Bool) { self.isColoured = isColoured }

    package static let plain = TextStyle(isColoured: false)

    package func strong(_ text: String) -> String { wrapped(text, "1") }
    package func faint(_ text: String) -> String { wrapped(text, "2") }
    package func good(_ text: String) -> String { wrapped(text, "32") }
    package func warning(_ text: String) -> String { wrapped(text, "33") }
    package func bad(_ text: String) -> String { wrapped(text, "31") }

    /// ECMA-48, "Select graphic rendition".
    private func wrapped(_ text: String, _ code: String) -> String {
        isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}
