import DatabaseAccess

/// Which database of which server a PostgreSQL session is in, and what stands between.
///
/// Two sessions are in the same database when database and server start agree: a copy made by CREATE DATABASE …
/// TEMPLATE has another number, a restored server another start.
struct ServerPlace: Sendable, Hashable {
    var database: String
    var start: String
    var version: Int
    /// The backend that answers is not the one that was connected to (design note: poolers).
    var isPooled: Bool

    static func of(_ session: any DatabaseSession) throws(DatabaseError) -> ServerPlace? {
        guard session.dialect == .postgresql else { return nil }
        let row = try session.row(
            """
            select (select d.oid from pg_catalog.pg_database d
                    where d.datname operator(pg_catalog.=) pg_catalog.current_database())::pg_catalog.text,
                pg_catalog.pg_postmaster_start_time()::pg_catalog.text,
                pg_catalog.current_setting('server_version_num')::pg_catalog.int4, pg_catalog.pg_backend_pid()
            """)
        guard let row, let database = row[0].text, let start = row[1].text else { return nil }
        return ServerPlace(
            database: database, start: start, version: row[2].integer ?? 0,
            isPooled: row[3].integer != session.backendPID)
    }

    func isSameDatabase(as other: ServerPlace?) -> Bool {
        database == other?.database && start == other?.start
    }
}
