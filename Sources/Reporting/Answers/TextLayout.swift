/// For whom an answer is laid out.
package struct TextLayout: Sendable {
    /// Columns to fit tables into; nil where lines may be of any length (a file, a pipe).
    package var width: Int?
    package var style: TextStyle

    package init(width: Int? = nil, style: TextStyle = .plain) {
        self.width = width
        self.style = style
    }
}

/// An answer that can be read by people.
package protocol TextAnswer: Encodable, Sendable {
    /// Plain sentences and tables; the last thing said is what to do next.
    func lines(_ layout: TextLayout) -> [String]
}
