/// How a statement begins: enough of its tokens to know what it is. Its size has a limit, whatever the statement's.
struct SQLStatementHead {
    enum Element: Hashable {
        /// An unquoted word, its ASCII letters in upper case.
        case word(String)
        case quotedName
        case string
        case other(UInt8)
    }

    /// The first tokens outside parentheses.
    private(set) var elements: [Element] = []
    /// The first words inside parentheses.
    private(set) var enclosedWords: [String] = []

    private static let limit = 64

    mutating func append(_ token: SQLToken, depth: Int, in bytes: [UInt8]) {
        if depth == 0 {
            guard elements.count < Self.limit else { return }
            switch token.kind {
            case .word: elements.append(.word(Self.upper(bytes[token.start..<token.end])))
            case .quotedName: elements.append(.quotedName)
            case .string: elements.append(.string)
            default: elements.append(.other(bytes[token.start]))
            }
        } else if token.kind == .word, enclosedWords.count < Self.limit {
            enclosedWords.append(Self.upper(bytes[token.start..<token.end]))
        }
    }

    /// The word at an index; nil when there is none or it is no word.
    func word(_ index: Int) -> String? {
        guard index < elements.count, case .word(let word) = elements[index] else { return nil }
        return word
    }

    /// Whether it begins with these words.
    func begins(_ words: String...) -> Bool {
        words.indices.allSatisfy { word($0) == words[$0] }
    }

    func contains(_ word: String) -> Bool { elements.contains(.word(word)) }

    /// PostgreSQL: `CREATE [OR REPLACE] FUNCTION` or `PROCEDURE`, whose body may be `BEGIN ATOMIC … END`.
    var createsRoutine: Bool {
        guard word(0) == "CREATE" else { return false }
        let kind = begins("CREATE", "OR", "REPLACE") ? word(3) : word(1)
        return kind == "FUNCTION" || kind == "PROCEDURE"
    }

    /// SQLite: `CREATE [TEMP] TRIGGER`, also behind EXPLAIN.
    var createsTrigger: Bool {
        var index = 0
        if begins("EXPLAIN", "QUERY", "PLAN") { index = 3 } else if begins("EXPLAIN") { index = 1 }
        guard word(index) == "CREATE" else { return false }
        index += 1
        if word(index) == "TEMP" || word(index) == "TEMPORARY" { index += 1 }
        return word(index) == "TRIGGER"
    }

    /// Keywords are compared by ASCII letters alone, as both engines do.
    private static func upper(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 >= 0x61 && $0 <= 0x7a ? $0 - 32 : $0 }, as: UTF8.self)
    }
}
