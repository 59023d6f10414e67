import RunbookModel

/// Reads the beginning of `CREATE [UNIQUE] INDEX CONCURRENTLY …` or `DROP INDEX CONCURRENTLY IF EXISTS …`, token by token.
/// A form that it does not know has no plain twin.
struct PlainTwinReader {
    private let bytes: [UInt8]
    private var tokenizer: SQLTokenizer
    private var token: SQLToken?

    /// The twin of one statement in PostgreSQL's dialect; nil where it has none.
    static func twin(of statement: String) -> PlainTwin? {
        var reader = PlainTwinReader(Array(statement.utf8))
        return reader.read()
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        tokenizer = SQLTokenizer(bytes, .postgresql)
        token = tokenizer.next()
    }

    private mutating func read() -> PlainTwin? {
        let builds = skip("CREATE")
        if builds { _ = skip("UNIQUE") } else if !skip("DROP") { return nil }
        guard skip("INDEX"), let word = token, skip("CONCURRENTLY") else { return nil }
        guard let (work, schema) = builds ? build() : drop() else { return nil }
        var plain = bytes
        for place in word.start..<word.end { plain[place] = UInt8(ascii: " ") }
        return PlainTwin(text: String(decoding: plain, as: UTF8.self), work: work, schema: schema)
    }

    /// `[[IF NOT EXISTS] name] ON [ONLY] table …`
    private mutating func build() -> (PlainTwin.Work, schema: String?)? {
        var index: String?
        if !isWord("ON") {
            // `if` is a name as well.
            guard var name = name() else { return nil }
            if name == "if", skip("NOT") {
                guard skip("EXISTS"), let behind = self.name() else { return nil }
                name = behind
            }
            index = name
        }
        guard skip("ON") else { return nil }
        _ = skip("ONLY")
        guard let table = qualifiedName(), token?.kind == .openParenthesis || isWord("USING") else { return nil }
        return (.build(index: index, table: table.written), table.schema)
    }

    /// `IF EXISTS name [RESTRICT]`: concurrently, one at a time and without CASCADE.
    private mutating func drop() -> (PlainTwin.Work, schema: String?)? {
        guard skip("IF"), skip("EXISTS"), let index = qualifiedName() else { return nil }
        _ = skip("RESTRICT")
        return token == nil ? (.drop(index: index.name), index.schema) : nil
    }

    private mutating func qualifiedName() -> (written: String, schema: String?, name: String)? {
        var written = ""
        var schema: String?
        while true {
            guard let token, let name = name() else { return nil }
            written += String(decoding: bytes[token.start..<token.end], as: UTF8.self)
            guard self.token?.kind == .symbol(UInt8(ascii: ".")) else { return (written, schema, name) }
            // Not a database's name before it as well.
            guard schema == nil else { return nil }
            schema = name
            written += "."
            self.token = tokenizer.next()
        }
    }

    /// As the server would store it. ASCII letters alone are folded here: what others it folds depends on the server.
    private mutating func name() -> String? {
        guard let token else { return nil }
        let text = String(decoding: bytes[token.start..<token.end], as: UTF8.self)
        switch token.kind {
        case .word:
            guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
            self.token = tokenizer.next()
            return text.lowercased()
        case .quotedName:
            self.token = tokenizer.next()
            return String(text.dropFirst().dropLast()).replacing("\"\"", with: "\"")
        default: return nil
        }
    }

    private func isWord(_ keyword: String) -> Bool { token?.isWord(keyword, in: bytes) == true }

    private mutating func skip(_ keyword: String) -> Bool {
        guard isWord(keyword) else { return false }
        token = tokenizer.next()
        return true
    }
}
