package import DatabaseAccess
package import RunbookModel

/// A record of the ledger with who made it.
package struct OwnedRecord: Sendable, Hashable {
    package var execution: RecordedExecution
    package var runner: String?
}

extension Ledger {
    /// Everything on record of one tenant (with an empty name: of the workspace), in or out of the manifest.
    package func records(of tenant: String) throws(DatabaseError) -> [Identity: OwnedRecord] {
        var records: [Identity: OwnedRecord] = [:]
        try query(
            """
            select runbook, key, state, clean, checksum, attempt, runner from \(sql.known)
            where workspace = $1 and tenant = $2
            """, [.text(workspace), .text(tenant)]
        ) { row throws(DatabaseError) in
            guard let state = row[2].text.flatMap(ExecutionState.init) else { return }
            records[Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")] = OwnedRecord(
                execution: RecordedExecution(
                    state: state, clean: row[3].boolean, checksum: row[4].text ?? "", attempt: row[5].integer ?? 0),
                runner: row[6].text)
        }
        return records
    }

    /// Changes records of one tenant, each only if it is still as it was seen, and keeps with each in the history and in
    /// `events` who did it and why; one transaction.
    ///
    /// - Returns: what was changed.
    package func change(
        _ changes: [RecordChange], tenant: String, note: AuditNote
    ) throws(DatabaseError) -> [Identity] {
        guard !changes.isEmpty else { return [] }
        let changed = try writing { () throws(DatabaseError) in
            var changed: [Identity] = []
            let wanted = changes.map { WantedRow(tenant: tenant, identity: $0.identity) }
            try execute(over: wanted, [.text(workspace)], sql.lift)
            for change in changes where try write(change, tenant) {
                changed.append(change.identity)
                if change.seen?.state != change.state { try keepHistory(of: change, tenant) }
                try audit(note, tenant, change.identity, detail: detail(of: change))
            }
            try Failpoint.reach(.changeRecords, .before)
            return changed
        }
        try Failpoint.reach(.changeRecords, .after)
        return changed
    }

    /// Keeps an act that changed no record.
    package func audit(
        _ note: AuditNote, _ tenant: String, _ identity: Identity?, detail: String
    ) throws(DatabaseError) {
        try execute(
            """
            insert into \(sql.events) (workspace, tenant, runbook, key, kind, actor, reason, detail)
            values ($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .text(workspace), .text(tenant), DatabaseValue(identity?.runbook), DatabaseValue(identity?.key),
                .text(note.kind), .text(note.actor), .text(note.reason), .text(detail),
            ])
    }

    private func write(_ change: RecordChange, _ tenant: String) throws(DatabaseError) -> Bool {
        let key: [DatabaseValue] = [
            .text(workspace), .text(tenant), .text(change.identity.runbook), .text(change.identity.key),
        ]
        let receipt = change.receipt
        let values: [DatabaseValue] = [
            .text(change.state.rawValue), DatabaseValue(change.clean), .text(change.checksum),
            DatabaseValue(change.message), DatabaseValue(receipt?.attempt), DatabaseValue(receipt?.run),
            DatabaseValue(receipt?.runner), DatabaseValue(receipt?.startedAt), DatabaseValue(receipt?.finishedAt),
            DatabaseValue(receipt?.rowsAffected),
        ]
        let started = "coalesce(\(sql.time(milliseconds: "$12")), \(sql.clock))"
        let finished = "coalesce(\(sql.time(milliseconds: "$13")), \(sql.clock))"
        guard let seen = change.seen else {
            return try result(
                of: """
                    insert into \(sql.executions) (workspace, tenant, runbook, key, state, clean, checksum, message,
                        attempt, run_id, runner, started_at, finished_at, rows_affected)
                    values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, 1), $10, $11, \(started), \(finished), $14)
                    on conflict (workspace, tenant, runbook, key) do nothing
                    """, key + values
            ).rowsAffected == 1
        }
        guard seen.state != change.state || receipt != nil else {
            return try result(
                of: """
                    update \(sql.executions) set checksum = $5
                    where workspace = $1 and tenant = $2 and runbook = $3 and key = $4 and state = $6 and attempt = $7
                    """,
                key + [.text(change.checksum), .text(seen.state.rawValue), DatabaseValue(seen.attempt)]
            ).rowsAffected == 1
        }
        return try result(
            of: """
                update \(sql.executions) set state = $5, clean = $6, checksum = $7, message = $8,
                    attempt = case when $9 > attempt then $9 else attempt end, run_id = coalesce($10, run_id),
                    runner = coalesce($11, runner), started_at = \(sql.time(milliseconds: "$12", else: "started_at")),
                    finished_at = \(finished), rows_affected = coalesce($14, rows_affected), sqlstate = null,
                    detail = null, hint = null, file = null, line = null, statement = null
                where workspace = $1 and tenant = $2 and runbook = $3 and key = $4 and state = $15 and attempt = $16
                """, key + values + [.text(seen.state.rawValue), DatabaseValue(seen.attempt)]
        ).rowsAffected == 1
    }

    private func keepHistory(of change: RecordChange, _ tenant: String) throws(DatabaseError) {
        try execute(
            """
            insert into \(sql.attempts) (workspace, tenant, runbook, key, attempt, runner, state, clean, checksum,
                started_at, finished_at, message)
            select workspace, tenant, runbook, key, attempt, runner, state, clean, checksum, started_at, finished_at,
                message
            from \(sql.executions) where workspace = $1 and tenant = $2 and runbook = $3 and key = $4
            """,
            [.text(workspace), .text(tenant), .text(change.identity.runbook), .text(change.identity.key)])
    }

    private func detail(of change: RecordChange) -> String {
        let before = change.seen.map { "\($0.state.rawValue), \($0.checksum)" } ?? "nothing"
        return "\(before) -> \(change.state.rawValue), \(change.checksum)"
    }
}

/// An identity of a tenant's, to be lifted.
private struct WantedRow: LedgerRow {
    static let columns: Columns = [("tenant", "text"), ("runbook", "text"), ("key", "text")]

    var tenant: String
    var identity: Identity

    var values: [DatabaseValue] { [.text(tenant), .text(identity.runbook), .text(identity.key)] }
}

extension LedgerSQL {
    /// A parameter with milliseconds since 1970 as a time; null stays null.
    fileprivate func time(milliseconds parameter: String, else other: String? = nil) -> String {
        let time =
            switch dialect {
            case .postgresql: "to_timestamp(\(parameter)::float8 / 1000)"
            case .sqlite: "strftime('%Y-%m-%dT%H:%M:%fZ', \(parameter) / 1000.0, 'unixepoch')"
            }
        return other.map { "coalesce(\(time), \($0))" } ?? time
    }
}
