package import DatabaseAccess
package import RunbookModel

extension PostgresReceipts {
    /// The attempt that a new one would follow; to be asked under the tenant's lock.
    package func previousAttempt(
        _ ticket: ClaimTicket, in session: any DatabaseSession
    ) throws(DatabaseError) -> PreviousAttempt? {
        let place = AttemptPlace(sql: sql, isLocal: isLocal)
        return try session.row(
            place.reading, [.text(ticket.workspace)] + place.holder(ticket) + ticket.identityValues
        ).flatMap(PreviousAttempt.init)
    }

    /// Notes the process group of a hook that has just been started. A message.
    package func note(
        _ ticket: ClaimTicket, group: Int32, start: String?, in session: any DatabaseSession
    ) throws(DatabaseError) {
        let place = AttemptPlace(sql: sql, isLocal: isLocal)
        try session.withTransaction(sql.begin + sql.ownPath) { () throws(DatabaseError) in
            try session.execute(
                place.noting,
                [.text(ticket.workspace)] + place.holder(ticket) + ticket.identityValues + [
                    .integer(Int64(group)), DatabaseValue(start), .text(ticket.runner),
                ])
        }
    }
}

extension SQLiteReceipts {
    /// The attempt that a new one would follow; to be asked under the tenant's lock, with the table there.
    package func previousAttempt(_ ticket: ClaimTicket) throws(DatabaseError) -> PreviousAttempt? {
        let place = AttemptPlace(sql: LedgerSQL(dialect: .sqlite, schema: ""), isLocal: false)
        return try session.row(
            place.reading, [.text(ticket.workspace)] + place.holder(ticket) + ticket.identityValues
        ).flatMap(PreviousAttempt.init)
    }

    /// Notes the process group of a hook that has just been started.
    package func note(_ ticket: ClaimTicket, group: Int32, start: String?) throws(DatabaseError) {
        let place = AttemptPlace(sql: LedgerSQL(dialect: .sqlite, schema: ""), isLocal: false)
        try session.execute(
            place.noting,
            [.text(ticket.workspace)] + place.holder(ticket) + ticket.identityValues + [
                .integer(Int64(group)), DatabaseValue(start), .text(ticket.runner),
            ])
    }
}

/// Where an attempt is on record: the ledger's executions, or the tenant's receipts.
private struct AttemptPlace {
    let sql: LedgerSQL
    let isLocal: Bool

    private var table: String { isLocal ? sql.executions : sql.name("receipts") }
    private var key: String {
        "workspace = $1 and \(isLocal ? "tenant" : "holder") = $2 and runbook = $3 and key = $4"
    }

    func holder(_ ticket: ClaimTicket) -> [DatabaseValue] { [.text(isLocal ? ticket.tenant : ticket.holder)] }

    var reading: String {
        // A hook that is told to end has some seconds more.
        let margin = 10_000
        let spent = "\(sql.milliseconds(sql.clock)) - \(sql.milliseconds("started_at"))"
        return sql.text(
            """
            select state, runner, host, process_group, process_start, time_limit_ms + \(margin) - (\(spent))
            from \(table) where \(key)
            """)
    }

    var noting: String {
        sql.text(
            """
            update \(table) set process_group = $5, process_start = $6
            where \(key) and state = 'running' and runner = $7
            """)
    }
}

extension ClaimTicket {
    fileprivate var identityValues: [DatabaseValue] { [.text(identity.runbook), .text(identity.key)] }
}

extension PreviousAttempt {
    fileprivate init?(_ row: DatabaseRow) {
        guard let state = row[0].text.flatMap(ExecutionState.init) else { return nil }
        self.init(
            state: state, runner: row[1].text, host: row[2].text, processGroup: row[3].integer.map(Int32.init),
            processStart: row[4].text, remaining: row[5].integer)
    }
}
