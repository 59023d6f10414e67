package import DatabaseAccess

/// A server's backend that stands in a tenant's way: it holds one of its locks, or still works on its last attempt.
package struct LockHolder: Sendable, Hashable {
    package var pid: Int
    /// With the pid it names one backend for ever.
    package var start: String
    package var application: String
    /// Its transaction has failed, and it waits for a client to say what comes next: nothing of it goes on.
    package var hasFailed: Bool

    /// The runner whose connection it is; nil for anybody else's.
    package var runner: String? {
        application.hasPrefix("muster/") ? String(application.dropFirst("muster/".count)) : nil
    }

    /// Who holds one of the keys exclusively in the session's database, other than the session itself.
    package static func of(
        _ keys: TenantKeys, in session: any DatabaseSession
    ) throws(DatabaseError) -> LockHolder? {
        let list = keys.all.map(String.init).joined(separator: ", ")
        return try first(
            """
            from pg_catalog.pg_locks l
            join pg_catalog.pg_stat_activity a on a.pid operator(pg_catalog.=) l.pid
            where l.locktype operator(pg_catalog.=) 'advisory' and l.granted
                and l.objsubid operator(pg_catalog.=) 1::pg_catalog.int2
                and l.mode operator(pg_catalog.=) 'ExclusiveLock'
                and l.database operator(pg_catalog.=) (
                    select d.oid from pg_catalog.pg_database d
                    where d.datname operator(pg_catalog.=) pg_catalog.current_database())
                and ((l.classid::pg_catalog.int8 operator(pg_catalog.<<) 32)
                    operator(pg_catalog.|) l.objid::pg_catalog.int8) operator(pg_catalog.=) any (array[\(list)]::pg_catalog.int8[])
            """, [], session)
    }

    private static let hasFailed = "a.state operator(pg_catalog.=) 'idle in transaction (aborted)'"

    static func first(
        _ source: String, _ parameters: [DatabaseValue], _ session: any DatabaseSession
    ) throws(DatabaseError) -> LockHolder? {
        let row = try session.row(
            """
            select a.pid, extract(epoch from a.backend_start)::pg_catalog.text, a.application_name,
                \(hasFailed)
            \(source) and a.pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid() limit 1
            """, parameters)
        guard let row, let pid = row[0].integer, let start = row[1].text else { return nil }
        return LockHolder(
            pid: pid, start: start, application: row[2].text ?? "", hasFailed: row[3].boolean == true)
    }

    /// Ends that backend, and never one that has its number by now. One that had failed, and whose client is back at work,
    /// is left alone.
    ///
    /// - Returns: whether it was there, and was told to end.
    @discardableResult
    package func end(in session: any DatabaseSession) throws(DatabaseError) -> Bool {
        let row = try session.row(
            """
            select pg_catalog.pg_terminate_backend(a.pid) from pg_catalog.pg_stat_activity a
            where a.pid operator(pg_catalog.=) $1::pg_catalog.int4
                and extract(epoch from a.backend_start)::pg_catalog.text operator(pg_catalog.=) $2
                and a.application_name operator(pg_catalog.=) $3\(hasFailed ? " and " + Self.hasFailed : "")
            """, [.integer(Int64(pid)), .text(start), .text(application)])
        return row?[0].boolean == true
    }
}
