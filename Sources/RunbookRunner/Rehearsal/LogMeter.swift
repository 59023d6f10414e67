import DatabaseAccess
import RunbookModel
import Synchronization

/// How much servers write to their logs from the first look at each to the last: tenants are rehearsed beside each
/// other, so that their own shares cannot be told apart.
final class LogMeter: Sendable {
    private struct Reading {
        var first: Int
        var last: Int
    }

    private let readings = Mutex<[String: Reading]>([:])
    private let sources = Mutex<Set<RehearsalReport.WrittenLog.Source>>([])

    /// Looks at a PostgreSQL session's database: pg_stat_statements where it is installed, else the log's position.
    /// A figure that may not be read is left out; it is information.
    func look(_ session: any DatabaseSession, server: String, database: String) {
        do throws(DatabaseError) {
            if let bytes = try statementBytes(session) {
                note(bytes, at: "\(server)/\(database)", .statements)
            } else if let bytes = try position(session) {
                note(bytes, at: server, .position)
            }
        } catch {
            // Neither is there for this role, or the server is a standby.
        }
    }

    var written: RehearsalReport.WrittenLog? {
        let bytes = readings.withLock { $0.values.reduce(0) { $0 + max(0, $1.last - $1.first) } }
        let sources = sources.withLock { $0 }
        guard !sources.isEmpty else { return nil }
        return RehearsalReport.WrittenLog(bytes: bytes, source: sources.contains(.position) ? .position : .statements)
    }

    private func statementBytes(_ session: any DatabaseSession) throws(DatabaseError) -> Int? {
        let place = try session.row(
            """
            SELECT n.nspname FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
            WHERE e.extname = 'pg_stat_statements'
                AND pg_catalog.current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'
            """)
        guard let schema = place?[0].text else { return nil }
        let view = try PostgresText.quoteIdentifier(schema) + ".pg_stat_statements"
        return try session.row(
            """
            SELECT coalesce(sum(wal_bytes), 0)::pg_catalog.int8 FROM \(view)(false) s
            WHERE s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d
                WHERE d.datname = pg_catalog.current_database())
            """)?[0].integer
    }

    private func position(_ session: any DatabaseSession) throws(DatabaseError) -> Int? {
        try session.row(
            "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8")?[0].integer
    }

    private func note(_ bytes: Int, at place: String, _ source: RehearsalReport.WrittenLog.Source) {
        sources.withLock { _ = $0.insert(source) }
        readings.withLock { readings in
            guard var reading = readings[place] else {
                readings[place] = Reading(first: bytes, last: bytes)
                return
            }
            reading.first = min(reading.first, bytes)
            reading.last = max(reading.last, bytes)
            readings[place] = reading
        }
    }
}
