import DatabaseAccess

/// Which database of its server a PostgreSQL session is in, and what stands between.
struct ServerPlace: Sendable, Hashable {
    /// Its number: the same on a copy of the whole server, another on a copy of the database.
    var database: String
    var version: Int
    /// The backend that answers is not the one that was connected to (design note: poolers).
    var isPooled: Bool

    static func of(_ session: any DatabaseSession) throws(DatabaseError) -> ServerPlace? {
        guard session.dialect == .postgresql else { return nil }
        let row = try session.row(
            """
            select (select d.oid from pg_catalog.pg_database d
                    where d.datname operator(pg_catalog.=) pg_catalog.current_database())::pg_catalog.text,
                pg_catalog.current_setting('server_version_num')::pg_catalog.int4, pg_catalog.pg_backend_pid()
            """)
        guard let row, let database = row[0].text else { return nil }
        return ServerPlace(
            database: database, version: row[1].integer ?? 0, isPooled: row[2].integer != session.backendPID)
    }
}
