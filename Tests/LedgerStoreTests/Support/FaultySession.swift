import DatabaseAccess

/// A session that is lost at its n-th call.
final class FaultySession: DatabaseSession {
    private let inner: any DatabaseSession
    private var left: Int

    init(_ inner: any DatabaseSession, failingAt call: Int) {
        self.inner = inner
        left = call
    }

    /// Whether it came to that.
    var hasFailed: Bool { left <= 0 }

    var dialect: DatabaseDialect { inner.dialect }
    var interrupter: any StatementInterrupter { inner.interrupter }
    var isInTransaction: Bool { inner.isInTransaction }
    var isUsable: Bool { inner.isUsable }
    var onNotice: ((String) -> Void)? {
        get { inner.onNotice }
        set { inner.onNotice = newValue }
    }

    private func count() throws(DatabaseError) {
        left -= 1
        guard hasFailed else { return }
        inner.close()
        throw DatabaseError(.connectionLost, "lost by the test")
    }

    func query(
        _ sql: String, _ parameters: [DatabaseValue], forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        try count()
        return try inner.query(sql, parameters, forEach: body)
    }

    func run(
        _ text: String, as context: ScriptContext?, forEach each: (Int, StatementResult) -> Void
    ) throws(DatabaseError) {
        try count()
        try inner.run(text, as: context, forEach: each)
    }

    func close() { inner.close() }
}
