/// Cuts a script into tokens, by the lexical rules of one dialect, in one pass over its UTF-8 bytes.
///
/// PostgreSQL's rules are those of `scan.l` with `standard_conforming_strings = on`; SQLite's are those of `tokenize.c`.
/// `U&'…'`, `B'…'`, `X'…'` and `N'…'` need no rule: their closing quote is found like that of a plain string.
struct SQLTokenizer {
    let bytes: [UInt8]
    let dialect: SQLDialect
    /// Index of the next byte to read.
    private(set) var position = 0
    /// What was still open when the text ended, and where it begins.
    private(set) var unclosed: (rule: SQLFinding.Rule, start: Int)?
    /// Whether it is known that no line `\.` follows.
    private var copyDataEndIsMissing = false

    init(_ bytes: [UInt8], _ dialect: SQLDialect) {
        self.bytes = bytes
        self.dialect = dialect
    }

    /// The next token; nil at the end of the text.
    mutating func next() -> SQLToken? {
        while position < bytes.count {
            let start = position
            switch (bytes[start], byte(start + 1)) {
            case (UInt8(ascii: "-"), UInt8(ascii: "-")): skipLine()
            case (UInt8(ascii: "/"), UInt8(ascii: "*")): skipBlockComment()
            case (let first, _) where isSpace(first): position += 1
            case (let first, let second):
                let kind = read(first, second)
                return SQLToken(kind: kind, start: start, end: position)
            }
        }
        return nil
    }

    /// Moves to the end of the line. A lone carriage return ends a line in PostgreSQL, but not in SQLite.
    mutating func skipLine() {
        while position < bytes.count, bytes[position] != newline,
            dialect == .sqlite || bytes[position] != UInt8(ascii: "\r")
        {
            position += 1
        }
    }

    /// Moves behind the line `\.` that ends the data of a COPY; stays when there is none.
    mutating func skipCopyData() {
        guard !copyDataEndIsMissing else { return }
        var lineStart = position
        while lineStart < bytes.count {
            let lineEnd = bytes[lineStart...].firstIndex(of: newline) ?? bytes.count
            if bytes[lineStart..<lineEnd].elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: ".")]) {
                position = lineEnd
                return
            }
            lineStart = lineEnd + 1
        }
        copyDataEndIsMissing = true
    }

    // MARK: One token

    private mutating func read(_ first: UInt8, _ second: UInt8) -> SQLToken.Kind {
        let isPostgreSQL = dialect == .postgresql
        switch first {
        case UInt8(ascii: ";"): return single(.semicolon)
        case UInt8(ascii: "("): return single(.openParenthesis)
        case UInt8(ascii: ")"): return single(.closeParenthesis)
        case UInt8(ascii: "'"):
            skipQuoted(by: first, .openString)
            return .string
        case UInt8(ascii: "E") where isPostgreSQL && second == quote,
            UInt8(ascii: "e") where isPostgreSQL && second == quote:
            skipEscapeString()
            return .string
        case UInt8(ascii: "\""),
            UInt8(ascii: "`") where !isPostgreSQL:
            skipQuoted(by: first, .openIdentifier)
            return .quotedName
        case UInt8(ascii: "[") where !isPostgreSQL:
            skipBracketed()
            return .quotedName
        case UInt8(ascii: "$") where isPostgreSQL:
            return readDollar()
        case UInt8(ascii: "$"), UInt8(ascii: "@"), UInt8(ascii: ":"), UInt8(ascii: "#"), UInt8(ascii: "?"):
            return isPostgreSQL ? single(.symbol(first)) : readVariable()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            // The digits, and letters that no number may have. A dollar here begins a quote in PostgreSQL.
            while isNamePart(byte(position)), byte(position) != UInt8(ascii: "$") { position += 1 }
            return .number
        case _ where isNameStart(first):
            skipName()
            return .word
        default: return single(.symbol(first))
        }
    }

    private mutating func single(_ kind: SQLToken.Kind) -> SQLToken.Kind {
        position += 1
        return kind
    }

    private mutating func skipName() {
        while position < bytes.count, isNamePart(bytes[position]) { position += 1 }
    }

    /// Moves behind a text in quotes; a doubled quote stands for one.
    private mutating func skipQuoted(by quote: UInt8, _ rule: SQLFinding.Rule) {
        let start = position
        position += 1
        while position < bytes.count {
            position += 1
            guard bytes[position - 1] == quote else { continue }
            guard byte(position) == quote else { return }
            position += 1
        }
        unclosed = (rule, start)
    }

    /// Moves behind `E'…'` and the parts that continue it on later lines, where backslashes still escape.
    private mutating func skipEscapeString() {
        let start = position
        position += 2
        while position < bytes.count {
            let character = bytes[position]
            position += 1
            if character == UInt8(ascii: "\\") {
                position += 1
            } else if character == quote {
                if byte(position) == quote {
                    position += 1
                } else if let next = continuation() {
                    position = next
                } else {
                    return
                }
            }
        }
        position = bytes.count
        unclosed = (.openString, start)
    }

    /// Where a string goes on when only white space with a newline in it, or comments of lines, lie between.
    private func continuation() -> Int? {
        var index = position
        var sawNewline = false
        while index < bytes.count {
            let character = bytes[index]
            if character == quote { return sawNewline ? index + 1 : nil }
            if character == newline || character == UInt8(ascii: "\r") {
                sawNewline = true
            } else if character == UInt8(ascii: "-"), byte(index + 1) == UInt8(ascii: "-") {
                while index + 1 < bytes.count, bytes[index + 1] != newline, bytes[index + 1] != UInt8(ascii: "\r") {
                    index += 1
                }
            } else if !isSpace(character) {
                return nil
            }
            index += 1
        }
        return nil
    }

    private mutating func skipBracketed() {
        let start = position
        if let end = bytes[start...].firstIndex(of: UInt8(ascii: "]")) {
            position = end + 1
        } else {
            position = bytes.count
            unclosed = (.openIdentifier, start)
        }
    }

    /// Moves behind a block comment. They nest in PostgreSQL, but not in SQLite.
    private mutating func skipBlockComment() {
        let start = position
        var depth = 1
        position += 2
        while position < bytes.count {
            switch (bytes[position], byte(position + 1)) {
            case (UInt8(ascii: "*"), UInt8(ascii: "/")):
                position += 2
                depth -= 1
                if depth == 0 { return }
            case (UInt8(ascii: "/"), UInt8(ascii: "*")) where dialect == .postgresql:
                position += 2
                depth += 1
            default: position += 1
            }
        }
        unclosed = (.openComment, start)
    }

    /// PostgreSQL: `$1`, `$tag$ … $tag$`, or a lone dollar.
    private mutating func readDollar() -> SQLToken.Kind {
        let start = position
        position += 1
        if isDigit(byte(position)) {
            while isDigit(byte(position)) { position += 1 }
            return .parameter
        }
        var index = position
        if isNameStart(byte(index)) {
            while isNamePart(byte(index)), byte(index) != UInt8(ascii: "$") { index += 1 }
        }
        guard byte(index) == UInt8(ascii: "$") else { return .symbol(UInt8(ascii: "$")) }

        let delimiter = bytes[start...index]
        position = index + 1
        while let dollar = bytes[position...].firstIndex(of: UInt8(ascii: "$")) {
            position = dollar + 1
            if bytes[dollar...].starts(with: delimiter) {
                position = dollar + delimiter.count
                return .string
            }
        }
        position = bytes.count
        unclosed = (.openDollarQuote, start)
        return .string
    }

    /// SQLite: `?1`, `:name`, `@name`, `#name`, `$name::part(suffix)`.
    private mutating func readVariable() -> SQLToken.Kind {
        let first = bytes[position]
        position += 1
        let start = position
        while position < bytes.count {
            let character = bytes[position]
            if isNamePart(character) {
                position += 1
            } else if character == UInt8(ascii: ":"), byte(position + 1) == character, first != UInt8(ascii: "?") {
                position += 2
            } else {
                break
            }
        }
        if position > start, byte(position) == UInt8(ascii: "("), first != UInt8(ascii: "?") {
            while position < bytes.count, bytes[position] != UInt8(ascii: ")"), !isSpace(bytes[position]) {
                position += 1
            }
            if byte(position) == UInt8(ascii: ")") { position += 1 }
        }
        return position > start ? .parameter : .symbol(first)
    }

    // MARK: Characters

    /// The byte at an index, 0 past the end.
    private func byte(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

    private func isSpace(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"), newline, UInt8(ascii: "\r"), 0x0c: true
        case 0x0b: dialect == .postgresql
        default: false
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private func isNameStart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private func isNamePart(_ byte: UInt8) -> Bool {
        isNameStart(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }
}

private let newline = UInt8(ascii: "\n")
private let quote = UInt8(ascii: "'")
