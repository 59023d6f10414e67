/// One connection to one database: opened, used and closed by one thread, blocking.
///
/// A session keeps no snapshot between calls: every result is read to its end before the call returns, also when it
/// throws. After an error inside a transaction the transaction is still open; ending it is the caller's business.
package protocol DatabaseSession: AnyObject {
    var dialect: DatabaseDialect { get }
    /// What another thread may call to stop the statement under way.
    var interrupter: any StatementInterrupter { get }
    /// Whether a transaction is open (or failed and not yet rolled back).
    var isInTransaction: Bool { get }
    /// Whether the connection can still be used.
    var isUsable: Bool { get }
    /// PostgreSQL: the process id that the server gave when the connection was made; nil for SQLite. Behind a pooler it
    /// differs from what `pg_backend_pid()` answers.
    var backendPID: Int? { get }
    /// Called for each notice of the server, text without newline. SQLite has none.
    var onNotice: ((String) -> Void)? { get set }

    /// Runs exactly one statement with bound parameters (`$1` in PostgreSQL, `?1` in SQLite), by the extended protocol
    /// in PostgreSQL, and lends each row to `body` as it arrives.
    ///
    /// When `body` throws, the rest of the result is drained and that error is rethrown.
    @discardableResult
    func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult

    /// The same once for each list of parameters, one after the other.
    func query(
        _ sql: String, forEachOf lists: [[DatabaseValue]], _ body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError)

    /// The same for a statement of a tenant's: in SQLite it is guarded as a script is, inside an open transaction.
    @discardableResult
    func query(
        _ sql: String, _ parameters: [DatabaseValue], as context: ScriptContext,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult

    /// Runs a text of any number of statements as one message (PostgreSQL: simple query) or one after the other
    /// (SQLite), and hands over each statement's result as it ends. Rows are dropped.
    ///
    /// - Parameters:
    ///   - context: SQLite only: who the script runs for, and that it is guarded. nil for Muster's own statements.
    ///   - each: index of the result (empty statements give none) and the result.
    /// - Throws: the first failure, with `position` and `resultsBefore`; nothing after it was run in PostgreSQL's
    ///   simple protocol, and nothing after it is run in SQLite.
    func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError)

    /// Opens a transaction with statements of Muster's own. PostgreSQL sends them with the first statement that follows.
    func begin(_ statements: [String]) throws(DatabaseError)

    /// One query as a transaction of its own, between statements that begin and end it. In PostgreSQL all of it is one
    /// message, and is ended also when `body` throws.
    @discardableResult
    func query(
        _ sql: String, _ parameters: [DatabaseValue], inTransaction statements: [String], endedBy ending: [String],
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult

    /// Asks several things whose answers are small by nature, one after the other, and returns the rows of each. In
    /// PostgreSQL all of it is one message, with what waits to be sent.
    ///
    /// - Parameter commits: whether what `begin` opened is committed behind them.
    func rows(of questions: [DatabaseQuestion], commits: Bool) throws(DatabaseError) -> [[DatabaseRow]]

    /// Runs one statement for its effect: at once outside a transaction, inside one at the latest when something else is
    /// asked for or the transaction ends. A failure is thrown by the call that sends it.
    func enqueue(_ sql: String, _ parameters: [DatabaseValue]) throws(DatabaseError)

    /// Commits what `begin` opened, together with what still waits to be sent.
    func commit() throws(DatabaseError)

    /// Rolls back what `begin` opened; what still waits is never sent.
    func rollback() throws(DatabaseError)

    /// Whether a script has left temporary objects, which live as long as the connection. PostgreSQL's are discarded by
    /// a statement of their own.
    func hasTemporaryObjects() throws(DatabaseError) -> Bool

    /// Ends the connection. Idempotent; never throws. The session's deinit calls it too.
    func close()

    /// The same, and waits until the server has ended its side, a second at most: until then it counts as one of its
    /// connections.
    func closeAndWait()
}

/// One statement with what it is asked with.
package struct DatabaseQuestion: Sendable {
    package var sql: String
    package var parameters: [DatabaseValue]

    package init(_ sql: String, _ parameters: [DatabaseValue] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// Stops, from any thread, the statement that a session has under way; does nothing when there is none.
package protocol StatementInterrupter: AnyObject, Sendable {
    func interrupt()
}

extension DatabaseSession {
    package var backendPID: Int? { nil }

    package func closeAndWait() { close() }

    package func hasTemporaryObjects() throws(DatabaseError) -> Bool {
        guard dialect == .sqlite else { return false }
        return try row("SELECT count(*) FROM sqlite_temp_schema")?[0].integer != 0
    }

    package func query(
        _ sql: String, forEachOf lists: [[DatabaseValue]], _ body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        for list in lists { try query(sql, list, forEach: body) }
    }

    /// PostgreSQL guards nothing here: the statement runs with the tenant's role and settings.
    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], as context: ScriptContext,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try query(sql, parameters, forEach: body)
    }

    /// All rows of one statement. For results that are small by nature.
    package func rows(_ sql: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> [DatabaseRow] {
        var rows: [DatabaseRow] = []
        try query(sql, parameters) { row throws(DatabaseError) in rows.append(row) }
        return rows
    }

    /// The first row of one statement, or nil.
    package func row(_ sql: String, _ parameters: [DatabaseValue] = []) throws(DatabaseError) -> DatabaseRow? {
        var first: DatabaseRow?
        try query(sql, parameters) { row throws(DatabaseError) in if first == nil { first = row } }
        return first
    }

    /// Runs one statement for its effect.
    @discardableResult
    package func execute(
        _ sql: String, _ parameters: [DatabaseValue] = []
    ) throws(DatabaseError) -> StatementResult {
        try query(sql, parameters) { row throws(DatabaseError) in }
    }

    package func begin(_ statements: [String]) throws(DatabaseError) {
        try run(statements.joined(separator: "; "))
    }

    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], inTransaction statements: [String], endedBy ending: [String],
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try begin(statements)
        return try rollingBackOnFailure { () throws(DatabaseError) in
            let result = try query(sql, parameters, forEach: body)
            try run(ending.joined(separator: "; "))
            return result
        }
    }

    package func rows(of questions: [DatabaseQuestion], commits: Bool) throws(DatabaseError) -> [[DatabaseRow]] {
        let answers = try questions.map { question throws(DatabaseError) in
            try rows(question.sql, question.parameters)
        }
        if commits { try commit() }
        return answers
    }

    package func enqueue(_ sql: String, _ parameters: [DatabaseValue]) throws(DatabaseError) {
        try execute(sql, parameters)
    }

    package func commit() throws(DatabaseError) { try run("COMMIT") }

    package func rollback() throws(DatabaseError) { try run("ROLLBACK") }

    /// Runs Muster's own statements as one text.
    package func run(_ text: String) throws(DatabaseError) {
        try run(text, as: nil) { _, _ in }
    }

    /// Runs `body` between the statements that begin a transaction and COMMIT; rolls back when it throws. The first error
    /// wins.
    package func withTransaction<Answer>(
        _ statements: [String], _ body: () throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        try begin(statements)
        return try rollingBackOnFailure { () throws(DatabaseError) in
            let answer = try body()
            try commit()
            return answer
        }
    }

    /// Rolls back what is open when `body` throws. The first error wins.
    package func rollingBackOnFailure<Answer>(
        _ body: () throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        do throws(DatabaseError) { return try body() } catch {
            if isUsable, isInTransaction {
                do throws(DatabaseError) { try rollback() } catch { close() }
            }
            throw error
        }
    }
}
