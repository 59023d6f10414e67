/// Names and values as PostgreSQL reads them inside a text, for messages that cannot take parameters.
package enum PostgresText {
    /// The name between double quotes, whatever is in it.
    ///
    /// PostgreSQL cuts a name after 63 bytes; whether it may be that long is the caller's question.
    ///
    /// - Throws: `.refused` for an empty name or one with a NUL, which PostgreSQL cannot hold.
    package static func quoteIdentifier(_ name: String) throws(DatabaseError) -> String {
        guard !name.isEmpty else { throw DatabaseError(.refused, "A name in PostgreSQL has at least one character.") }
        return "\"\(try doubling("\"", in: name))\""
    }

    /// The value as a string constant that means the same under either `standard_conforming_strings`
    /// (PostgreSQL manual, 4.1.2.2 "String Constants With C-Style Escapes").
    ///
    /// - Throws: `.refused` for a value with a NUL, which PostgreSQL cannot hold.
    package static func quoteLiteral(_ value: String) throws(DatabaseError) -> String {
        // Most values need nothing; messages hold many.
        let isPlain = value.utf8.allSatisfy { $0 != UInt8(ascii: "'") && $0 != UInt8(ascii: "\\") && $0 != 0 }
        if isPlain { return "'\(value)'" }
        let prefix = value.utf8.contains(UInt8(ascii: "\\")) ? "E" : ""
        return "\(prefix)'\(try doubling("\\", in: try doubling("'", in: value)))'"
    }

    /// By bytes: a quote that a combining mark follows is one `Character` with it, and still ends the constant. In UTF-8
    /// no other character holds the byte of an ASCII one.
    private static func doubling(_ mark: Unicode.Scalar, in text: String) throws(DatabaseError) -> String {
        guard !text.utf8.contains(0) else {
            throw DatabaseError(.refused, "PostgreSQL holds no NUL character in a name or a text.")
        }
        let mark = UInt8(ascii: mark)
        guard text.utf8.contains(mark) else { return text }
        var doubled: [UInt8] = []
        doubled.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            if byte == mark { doubled.append(byte) }
            doubled.append(byte)
        }
        return String(decoding: doubled, as: UTF8.self)
    }
}
