/// A statement whose end has not been read yet.
struct OpenStatement {
    /// Index of its first byte.
    let start: Int
    /// Index behind its last token so far.
    private(set) var end: Int
    private(set) var head = SQLStatementHead()
    /// Where the outermost parenthesis opened that is still open.
    private(set) var openParenthesis: Int?

    private var depth = 0
    /// Where the BEGIN of a routine's body stands; nil outside such a body.
    private var bodyStart: Int?
    private var bodyHasEnded = false
    /// Whether a statement of a body would begin with the next token. There, and nowhere else, END ends the body:
    /// neither engine allows a statement in a body to begin with it, and the END of a CASE never stands there.
    private var isBetweenStatements = false
    private var previous: SQLToken?

    init(start: Int) {
        self.start = start
        end = start
    }

    mutating func append(_ token: SQLToken, in bytes: [UInt8], _ dialect: SQLDialect) {
        defer {
            end = token.end
            previous = token
        }
        if token.kind == .closeParenthesis, depth > 0 {
            depth -= 1
            if depth == 0 { openParenthesis = nil }
        }
        head.append(token, depth: depth, in: bytes)
        if token.kind == .openParenthesis {
            if depth == 0 { openParenthesis = token.start }
            depth += 1
        }

        if isBetweenStatements, token.isWord("END", in: bytes) {
            bodyStart = nil
            bodyHasEnded = true
        }
        isBetweenStatements = token.kind == .semicolon && (dialect == .sqlite || depth == 0)

        if dialect == .postgresql, bodyStart == nil, depth == 0, token.isWord("ATOMIC", in: bytes),
            let begin = previous, begin.isWord("BEGIN", in: bytes), head.createsRoutine
        {
            bodyStart = begin.start
            isBetweenStatements = true
        }
    }

    /// Whether a semicolon here is the statement's own.
    func goesOnBehindSemicolon(_ dialect: SQLDialect) -> Bool {
        switch dialect {
        case .postgresql: depth > 0 || bodyStart != nil
        case .sqlite: head.createsTrigger && !bodyHasEnded
        }
    }

    /// Where a body begins whose END is missing. In SQLite that is known by the semicolons inside.
    func openBody(_ dialect: SQLDialect) -> Int? {
        switch dialect {
        case .postgresql: depth == 0 ? bodyStart : nil
        case .sqlite: head.createsTrigger && !bodyHasEnded ? start : nil
        }
    }
}
