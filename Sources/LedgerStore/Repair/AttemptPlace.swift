package import DatabaseAccess
package import RunbookModel

/// Where an attempt is on record: the ledger's executions, or the tenant's receipts.
package struct AttemptPlace: Sendable {
    private let sql: LedgerSQL
    private let isLocal: Bool
    private let workspace: String
    /// The tenant, or what stands for it in a receipt's key.
    private let holder: String
    private let identity: Identity

    /// - Parameter isLocal: whether the record in the ledger is the receipt.
    package init(
        sql: LedgerSQL, isLocal: Bool, workspace: String, tenant: String, holdsOneTenant: Bool, identity: Identity
    ) {
        self.sql = sql
        self.isLocal = isLocal
        self.workspace = workspace
        holder = isLocal || !holdsOneTenant ? tenant : ""
        self.identity = identity
    }

    private var table: String { isLocal ? sql.executions : sql.name("receipts") }
    private var column: String { isLocal ? "tenant" : "holder" }
    private var condition: String { "workspace = $1 and \(column) = $2 and runbook = $3 and key = $4" }
    private var values: [DatabaseValue] {
        [.text(workspace), .text(holder), .text(identity.runbook), .text(identity.key)]
    }

    /// The attempt that a new one would follow; to be asked under the tenant's lock, in a transaction of Muster's own.
    package func previousAttempt(in session: any DatabaseSession) throws(DatabaseError) -> PreviousAttempt? {
        // A hook that is told to end has some seconds more.
        let margin = 10_000
        let spent = "\(sql.milliseconds(sql.clock)) - \(sql.milliseconds("started_at"))"
        let row = try session.row(
            sql.text(
                """
                select state, run_id, runner, host, process_group, process_start, time_limit_ms + \(margin) - (\(spent)),
                    clean
                from \(table) where \(condition)
                """), values)
        guard let row, let state = row[0].text.flatMap(ExecutionState.init) else { return nil }
        return PreviousAttempt(
            state: state, clean: row[7].boolean, run: row[1].text, runner: row[2].text, host: row[3].text,
            processGroup: row[4].integer.map(Int32.init), processStart: row[5].text, remaining: row[6].integer)
    }

    /// Notes the process group of a hook that has just been started, in a transaction of Muster's own.
    package func note(
        group: Int32, start: String?, runner: String, in session: any DatabaseSession
    ) throws(DatabaseError) {
        try session.execute(
            sql.text(
                """
                update \(table) set process_group = $5, process_start = $6
                where \(condition) and state = 'running' and runner = $7
                """), values + [.integer(Int64(group)), DatabaseValue(start), .text(runner)])
    }

    /// PostgreSQL: the backend that the last attempt was made on, if it is still there and the attempt has no end.
    package func backend(in session: any DatabaseSession) throws(DatabaseError) -> LockHolder? {
        // Inside a transaction the server shows the same backends again and again (PostgreSQL manual, 28.2.2).
        try session.execute("select pg_catalog.pg_stat_clear_snapshot()")
        return try LockHolder.first(
            """
            from \(table) e
            join pg_catalog.pg_stat_activity a on a.pid operator(pg_catalog.=) e.backend_pid
                and a.backend_start operator(pg_catalog.=) e.backend_start
            where e.workspace operator(pg_catalog.=) $1 and e.\(column) operator(pg_catalog.=) $2
                and e.runbook operator(pg_catalog.=) $3 and e.key operator(pg_catalog.=) $4
                and e.state operator(pg_catalog.=) any ('{running,unknown}'::pg_catalog.text[])
            """, values, session)
    }
}

extension PostgresReceipts {
    package func place(of ticket: ClaimTicket) -> AttemptPlace {
        AttemptPlace(
            sql: sql, isLocal: isLocal, workspace: ticket.workspace, tenant: ticket.tenant,
            holdsOneTenant: ticket.holdsOneTenant, identity: ticket.identity)
    }

    /// Who keeps this claim waiting: the holder of a lock, else the backend of its last attempt.
    package func obstacle(
        to ticket: ClaimTicket, in session: any DatabaseSession
    ) throws(DatabaseError) -> LockHolder? {
        if let holder = try LockHolder.of(ticket.keys, in: session) { return holder }
        return try place(of: ticket).backend(in: session)
    }
}

extension SQLiteReceipts {
    package static func place(of ticket: ClaimTicket) -> AttemptPlace {
        AttemptPlace(
            sql: LedgerSQL(dialect: .sqlite, schema: ""), isLocal: false, workspace: ticket.workspace,
            tenant: ticket.tenant, holdsOneTenant: ticket.holdsOneTenant, identity: ticket.identity)
    }
}
