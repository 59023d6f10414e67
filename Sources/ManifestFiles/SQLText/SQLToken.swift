/// One lexical element of a script, as a range of its UTF-8 bytes. Comments and white space are none.
struct SQLToken {
    enum Kind: Equatable {
        /// A keyword or an unquoted name.
        case word
        case quotedName
        case string
        case number
        /// `$1`, and SQLite's `?1`, `:name`, `@name`, `$name`.
        case parameter
        case semicolon
        case openParenthesis
        case closeParenthesis
        /// Any other single character, an operator's too.
        case symbol(UInt8)
    }

    var kind: Kind
    var start: Int
    var end: Int
}

extension SQLToken {
    /// Whether it is this keyword, given in upper case. ASCII letters alone are folded, as both engines do.
    func isWord(_ keyword: String, in bytes: [UInt8]) -> Bool {
        kind == .word && end - start == keyword.utf8.count
            && zip(bytes[start..<end], keyword.utf8).allSatisfy { $0 == $1 || $0 == $1 | 0x20 }
    }
}
