/// PostgreSQL's session-level advisory locks on one session; the server releases them when the session ends.
///
/// Everything is qualified, operators too: a script on the same session may have left any search_path behind.
package final class SessionAdvisoryLocks: AdvisoryLocks {
    private let session: any DatabaseSession

    /// - Parameter session: a direct PostgreSQL session; behind a transaction-mode pooler the locks would stay with a
    ///   server connection of somebody else.
    package init(on session: any DatabaseSession) {
        self.session = session
    }

    package func tryLock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        try ask("SELECT pg_catalog.pg_try_advisory_lock\(mode.suffix)($1::pg_catalog.int8)", [.integer(key)])
    }

    package func unlock(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        try ask("SELECT pg_catalog.pg_advisory_unlock\(mode.suffix)($1::pg_catalog.int8)", [.integer(key)])
    }

    /// A 64-bit key stands in `pg_locks` as its two halves, with objsubid 1 (PostgreSQL manual, 54.12 "pg_locks"). A
    /// lock of the same key that the open transaction took looks alike.
    package func holds(_ key: Int64, _ mode: LockMode) throws(DatabaseError) -> Bool {
        let bits = UInt64(bitPattern: key)
        return try ask(
            """
            SELECT EXISTS (
                SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
                    AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
                    AND l.database OPERATOR(pg_catalog.=) (
                        SELECT d.oid FROM pg_catalog.pg_database AS d
                        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
                    AND l.classid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
                    AND l.objid OPERATOR(pg_catalog.=) $2::pg_catalog.oid
                    AND l.objsubid OPERATOR(pg_catalog.=) 1::pg_catalog.int2
                    AND l.mode OPERATOR(pg_catalog.=) $3)
            """,
            [
                .text(String(bits >> 32)), .text(String(bits & 0xffff_ffff)),
                .text(mode == .shared ? "ShareLock" : "ExclusiveLock"),
            ])
    }

    private func ask(_ question: String, _ parameters: [DatabaseValue]) throws(DatabaseError) -> Bool {
        guard session.dialect == .postgresql else {
            throw DatabaseError(.misuse, "Session advisory locks were asked of a database that is not PostgreSQL.")
        }
        return try session.row(question, parameters)?[0].boolean ?? false
    }
}

extension LockMode {
    fileprivate var suffix: String { self == .shared ? "_shared" : "" }
}
