package import DatabaseAccess

extension SQLiteSession {
    /// One statement of a tenant's, with bound parameters, guarded as a script is.
    @discardableResult
    package func query(
        _ sql: String, _ parameters: [DatabaseValue], as context: ScriptContext,
        forEach body: (DatabaseRow) throws(DatabaseError) -> Void
    ) throws(DatabaseError) -> StatementResult {
        guard context.isTransactional, isInTransaction else {
            throw DatabaseError(.misuse, "a guarded statement needs a transaction that is open")
        }
        let scriptGuard = connection.scriptGuard
        let origin = scriptGuard.origin
        // Where nothing may be written, that stays so.
        if origin != .reading { scriptGuard.origin = .transactionalScript }
        scriptGuard.context = context
        scriptGuard.beginScript()
        defer {
            scriptGuard.origin = origin
            scriptGuard.context = nil
        }
        return try query(sql, parameters, forEach: body)
    }
}
