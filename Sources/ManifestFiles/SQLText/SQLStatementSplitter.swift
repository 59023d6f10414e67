import RunbookModel

/// Puts tokens together to statements, and judges each as it ends.
struct SQLStatementSplitter {
    private(set) var statements: [SQLStatement] = []
    private(set) var findings: [SQLFinding] = []

    private var tokenizer: SQLTokenizer
    private let dialect: SQLDialect
    private let transactional: Bool
    private let lines: LineTable
    private var scalars: ScalarCursor
    private var open: OpenStatement?

    init(_ bytes: [UInt8], _ dialect: SQLDialect, transactional: Bool) {
        tokenizer = SQLTokenizer(bytes, dialect)
        self.dialect = dialect
        self.transactional = transactional
        lines = LineTable(bytes)
        scalars = ScalarCursor(bytes)
    }

    mutating func readAll() {
        while let token = tokenizer.next() {
            if isMetaCommand(token) {
                readMetaCommand(token)
            } else if token.kind == .semicolon, open?.goesOnBehindSemicolon(dialect) != true {
                endStatement()
            } else {
                if open == nil { open = OpenStatement(start: token.start) }
                open?.append(token, in: tokenizer.bytes, dialect)
            }
        }
        reportUnclosed()
        endStatement()
        if let index = tokenizer.bytes.firstIndex(of: 0) {
            report(
                index, .nulCharacter, "the script holds a NUL character, where the engines stop reading", "remove it")
        }
        if statements.isEmpty, findings.isEmpty {
            report(0, .empty, "the script holds no statement", "write one, or remove the runbook")
        }
    }

    private mutating func endStatement() {
        guard let ended = open else { return }
        open = nil
        let bytes = tokenizer.bytes
        let line = lines.line(at: ended.start)
        let offset = scalars.count(upTo: ended.start)
        let rules = SQLRules(head: ended.head, dialect: dialect, transactional: transactional)
        let text = String(decoding: bytes[ended.start..<ended.end], as: UTF8.self)
        statements.append(
            SQLStatement(
                text: text, line: line, offset: offset, length: scalars.count(upTo: ended.end) - offset,
                isConcurrent: rules.isConcurrent,
                plainTwin: rules.isConcurrent ? PlainTwinReader.twin(of: text) : nil))
        if let finding = rules.finding(line: line) {
            findings.append(finding)
            if finding.rule == .copyStream { tokenizer.skipCopyData() }
        }
    }

    /// psql takes a backslash anywhere outside quotes; the sqlite3 shell takes a dot where a statement would begin.
    private func isMetaCommand(_ token: SQLToken) -> Bool {
        switch dialect {
        case .postgresql: token.kind == .symbol(UInt8(ascii: "\\"))
        case .sqlite: open == nil && token.kind == .symbol(UInt8(ascii: "."))
        }
    }

    private mutating func readMetaCommand(_ token: SQLToken) {
        tokenizer.skipLine()
        let line = tokenizer.bytes[token.start..<tokenizer.position]
        let name = String(decoding: line.prefix { $0 > UInt8(ascii: " ") }.prefix(20), as: UTF8.self)
        let remedy =
            switch name {
            case "\\i", "\\ir", "\\include", "\\include_relative", ".read":
                "make that file a runbook of its own, or paste it here"
            case "\\c", "\\connect", ".open": "say where it runs with `tenants.target`"
            case "\\copy", "\\.", ".import": "insert the rows with INSERT"
            default: "remove it"
            }
        let program = dialect == .postgresql ? "psql" : "the sqlite3 shell"
        report(token.start, .metaCommand, "`\(name)` is a command of \(program), not SQL", remedy)
    }

    private mutating func reportUnclosed() {
        if let (rule, start) = tokenizer.unclosed {
            let what =
                switch rule {
                case .openComment: "a comment"
                case .openIdentifier: "a quoted identifier"
                case .openDollarQuote: "a dollar quote"
                default: "a string"
                }
            report(start, rule, "\(what) that begins here is not closed", "close it")
        } else if let body = open?.openBody(dialect) {
            report(body, .openBody, "the body that begins here has no END", "end it with END and a semicolon")
        } else if dialect == .postgresql, let parenthesis = open?.openParenthesis {
            report(parenthesis, .openParenthesis, "a parenthesis that opens here is not closed", "close it")
        }
    }

    private mutating func report(_ index: Int, _ rule: SQLFinding.Rule, _ message: String, _ remedy: String) {
        findings.append(SQLFinding(line: lines.line(at: index), rule: rule, message: message, remedy: remedy))
    }
}
