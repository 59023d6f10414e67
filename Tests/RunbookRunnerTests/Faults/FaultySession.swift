import DatabaseAccess

/// A real session that fails where its fault says so, the way its engine would.
final class FaultySession: DatabaseSession {
    private let session: any DatabaseSession
    private let fault: StatementFault
    /// PostgreSQL: whether the fault took the connection.
    private var isLost = false

    init(_ session: any DatabaseSession, _ fault: StatementFault) {
        self.session = session
        self.fault = fault
    }

    var dialect: DatabaseDialect { session.dialect }
    var interrupter: any StatementInterrupter { session.interrupter }
    var isInTransaction: Bool { session.isInTransaction }
    var isUsable: Bool { session.isUsable }
    var backendPID: Int? { session.backendPID }
    var onNotice: ((String) -> Void)? {
        get { session.onNotice }
        set { session.onNotice = newValue }
    }

    @discardableResult
    func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try meetingFault { () throws(DatabaseError) in try session.query(sql, parameters, forEach: body) }
    }

    @discardableResult
    func query(
        _ sql: String, _ parameters: [DatabaseValue], as context: ScriptContext,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try meetingFault { () throws(DatabaseError) in
            try session.query(sql, parameters, as: context, forEach: body)
        }
    }

    func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        try meetingFault { () throws(DatabaseError) in try session.run(text, as: context, forEach: each) }
    }

    func close() { session.close() }

    private func meetingFault<Answer>(
        _ work: () throws(DatabaseError) -> Answer
    ) throws(DatabaseError) -> Answer {
        guard !isLost else { throw DatabaseError(.connectionLost, "injected: the connection was lost before") }
        switch fault.next() {
        case nil: return try work()
        case .lost: throw lose()
        case .unanswered:
            _ = try work()
            throw lose()
        case .refused: throw try refuse()
        }
    }

    /// A file's session goes on after its disk has failed (SQLITE_IOERR).
    private func lose() -> DatabaseError {
        guard dialect == .postgresql else {
            return DatabaseError(.connectionLost, "injected: disk I/O error", engineCode: 10)
        }
        isLost = true
        session.close()
        return DatabaseError(.connectionLost, "injected: the connection is lost")
    }

    /// The server itself refuses, so that an open transaction fails with it. A full disk takes an open transaction of
    /// SQLite along or not (https://www.sqlite.org/lang_transaction.html, 3); here it does.
    private func refuse() throws(DatabaseError) -> DatabaseError {
        if dialect == .postgresql {
            try session.run("DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '53100'; END $$")
        } else if isInTransaction {
            try session.run("ROLLBACK")
        }
        return DatabaseError(.statement, "injected: database or disk is full", engineCode: 13)
    }
}
