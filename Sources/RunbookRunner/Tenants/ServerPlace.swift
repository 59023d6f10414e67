import DatabaseAccess
import LedgerStore

/// Which database of its server a PostgreSQL session is in, and what stands between.
struct ServerPlace: Sendable, Hashable {
    /// Its number: the same on a copy of the whole server, another on a copy of the database.
    var database: String
    var version: Int
    /// The backend that answers is not the one that was connected to (design note: poolers).
    var isPooled: Bool

    static func of(_ session: any DatabaseSession) throws(DatabaseError) -> ServerPlace? {
        try look(at: session, "", [])?.place
    }

    /// The place of the session that a PostgreSQL ledger is in, to be asked with something else.
    static func question(_ session: any DatabaseSession) -> LedgerQuestion<ServerPlace?> {
        let pid = session.backendPID
        return LedgerQuestion("select " + columns, []) { $0.first.flatMap { ServerPlace($0, connectedTo: pid) } }
    }

    /// The same question says what is there of a table of receipts.
    static func of(
        _ session: any DatabaseSession, receipts sql: LedgerSQL
    ) throws(DatabaseError) -> (place: ServerPlace, presence: PostgresReceipts.Presence)? {
        let presence = PostgresReceipts.Presence.question(sql)
        guard let (place, row) = try look(at: session, ", " + presence.columns, presence.parameters) else { return nil }
        return (place, PostgresReceipts.Presence(table: row[3].boolean == true, schema: row[4].boolean == true))
    }

    /// The place of a session whose address is the ledger's: a shorter question, since much is first asked in each.
    ///
    /// An address may have several servers behind it.
    ///
    /// - Returns: nil when the runner is not on record there.
    static func beside(
        _ ledger: ServerPlace, _ session: any DatabaseSession, _ sql: LedgerSQL, runner: String
    ) throws(DatabaseError) -> ServerPlace? {
        do throws(DatabaseError) {
            let row = try session.row(
                "select \(PostgresReceipts.isBesideLedger(sql, "$1")), pg_catalog.pg_backend_pid()", [.text(runner)])
            guard let row, row[0].boolean == true else { return nil }
            var place = ledger
            place.isPooled = row[1].integer != session.backendPID
            return place
        } catch  where error.code == .statement && session.isUsable {
            return nil
        }
    }

    private static func look(
        at session: any DatabaseSession, _ more: String, _ parameters: [DatabaseValue]
    ) throws(DatabaseError) -> (place: ServerPlace, row: DatabaseRow)? {
        guard session.dialect == .postgresql else { return nil }
        guard let row = try session.row("select \(columns)\(more)", parameters) else { return nil }
        return ServerPlace(row, connectedTo: session.backendPID).map { ($0, row) }
    }

    private static let columns = """
        (select d.oid from pg_catalog.pg_database d
            where d.datname operator(pg_catalog.=) pg_catalog.current_database())::pg_catalog.text,
        pg_catalog.current_setting('server_version_num')::pg_catalog.int4, pg_catalog.pg_backend_pid()
        """

    private init?(_ row: DatabaseRow, connectedTo pid: Int?) {
        guard let database = row[0].text else { return nil }
        self.database = database
        version = row[1].integer ?? 0
        isPooled = row[2].integer != pid
    }
}
