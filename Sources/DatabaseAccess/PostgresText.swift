/// Names and values as PostgreSQL reads them inside a text, for messages that cannot take parameters.
package enum PostgresText {
    /// The name between double quotes, whatever is in it.
    ///
    /// PostgreSQL cuts a name after 63 bytes; whether it may be that long is the caller's question.
    ///
    /// - Throws: `.refused` for an empty name or one with a NUL, which PostgreSQL cannot hold.
    package static func quoteIdentifier(_ name: String) throws(DatabaseError) -> String {
        guard !name.isEmpty else { throw DatabaseError(.refused, "A name in PostgreSQL has at least one character.") }
        return "\"\(try doubling(["\""], in: name))\""
    }

    /// The value as a string constant that means the same under either `standard_conforming_strings`
    /// (PostgreSQL manual, 4.1.2.2 "String Constants With C-Style Escapes").
    ///
    /// - Throws: `.refused` for a value with a NUL, which PostgreSQL cannot hold.
    package static func quoteLiteral(_ value: String) throws(DatabaseError) -> String {
        let prefix = value.unicodeScalars.contains("\\") ? "E" : ""
        return "\(prefix)'\(try doubling(["'", "\\"], in: value))'"
    }

    /// By scalars: a quote that a combining mark follows is one `Character` with it, and still ends the constant.
    private static func doubling(_ marks: Set<Unicode.Scalar>, in text: String) throws(DatabaseError) -> String {
        var doubled = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            guard scalar != "\0" else {
                throw DatabaseError(.refused, "PostgreSQL holds no NUL character in a name or a text.")
            }
            if marks.contains(scalar) { doubled.append(scalar) }
            doubled.append(scalar)
        }
        return String(doubled)
    }
}
