package import DatabaseAccess
package import RunbookModel

/// Claims and records in a tenant's SQLite file. Every method runs inside a transaction that the caller has begun; the
/// tenant's lock is held already.
package struct SQLiteReceipts {
    package let session: any DatabaseSession

    package init(session: any DatabaseSession) {
        self.session = session
    }

    /// Makes the table where it is missing.
    package func ensureTable() throws(DatabaseError) {
        try session.execute(sqliteReceiptsDDL)
    }

    /// Reads the receipt and says why the work may not begin; nil means it may.
    package func examine(_ ticket: ClaimTicket) throws(DatabaseError) -> (state: ClaimState, message: String)? {
        let row = try session.row(
            """
            SELECT state, checksum, fence, tenant, clean, run_id FROM main.muster_receipts
            WHERE workspace = ?1 AND holder = ?2 AND runbook = ?3 AND key = ?4
            """, key(ticket))
        // As in a tenant that was restored from before; what was declared done may have no receipt.
        if row == nil, let rule = ticket.undoes, !rule.takesBaselined {
            return (.missingReceipts, ticket.identity.description)
        }
        return row.flatMap { refusal(ticket, $0) }
    }

    private func refusal(_ ticket: ClaimTicket, _ row: DatabaseRow) -> (state: ClaimState, message: String)? {
        if let name = row[3].text, name != ticket.tenant {
            return (.foreignReceipt, "the receipt stands under the name of tenant \(name)")
        }
        let superseded = (ClaimState.superseded, "another runner has taken over this job")
        let isLater = (row[2].integer ?? 0) > ticket.job.fence
        if let rule = ticket.undoes {
            return refusal(ticket, undoing: rule, row).map { isLater && $0.state != .done ? superseded : $0 }
                ?? (isLater ? superseded : nil)
        }
        let isOfUndo = row[1].text?.hasPrefix(RunbookUndo.mark) == true
        switch row[0].text.flatMap(ExecutionState.init) {
        case .succeeded, .baselined:
            if row[1].text == ticket.checksum || ticket.policy == .accept {
                return row[5].text == ticket.run ? (.doneInRun, "done in this run") : (.done, "done")
            }
            if ticket.policy == .fail { return (.drifted, "done with another body (\(row[1].text ?? ""))") }
            return isLater ? superseded : nil
        case _ where isLater: return superseded
        case .running, .unknown:
            return ticket.mayRepeat && !isOfUndo ? nil : (.unseenEnd, "the end of its last attempt was not seen")
        case .failed where row[4].boolean == false && (ticket.isScript || isOfUndo):
            return ticket.mayRepeat && !isOfUndo
                ? nil : (.unseenEnd, "its last attempt failed and left something behind")
        case .failed, .rolledBack, nil: return nil
        }
    }

    /// Writes the receipt of an end, or of a beginning (`running`).
    ///
    /// - Returns: how often it has been tried now.
    /// - Throws: also when a later claim has left its receipt meanwhile (MU004).
    package func record(
        _ ticket: ClaimTicket, state: ExecutionState, clean: Bool? = nil, rowsAffected: Int?
    ) throws(DatabaseError) -> Int {
        let isUndo = ticket.undoes != nil
        let (state, clean, checksum) = try kept(ticket, state, clean)
        let finished = state == .running ? "NULL" : "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        let row = try session.row(
            """
            INSERT INTO main.muster_receipts AS r (workspace, holder, runbook, key, tenant, state, attempt, fence,
                checksum, run_id, runner, rows_affected, host, time_limit_ms, clean, started_at, finished_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), \(finished))
            ON CONFLICT (workspace, holder, runbook, key) DO UPDATE SET
                tenant = excluded.tenant, state = excluded.state, clean = excluded.clean, fence = excluded.fence,
                checksum = excluded.checksum,
                attempt = r.attempt + (r.state <> 'running' OR r.fence <> excluded.fence),
                run_id = excluded.run_id, runner = excluded.runner, rows_affected = excluded.rows_affected,
                started_at = CASE WHEN r.state = 'running' AND r.fence = excluded.fence THEN r.started_at
                    ELSE excluded.started_at END,
                finished_at = excluded.finished_at, host = excluded.host, time_limit_ms = excluded.time_limit_ms,
                process_group = NULL, process_start = NULL\(isUndo ? ", cursor = NULL" : "")
            WHERE r.fence <= excluded.fence
            RETURNING attempt
            """,
            key(ticket) + [
                .text(ticket.tenant), .text(state.rawValue), DatabaseValue(ticket.job.fence), .text(checksum),
                .text(ticket.run), .text(ticket.runner), DatabaseValue(rowsAffected),
                .text(ticket.host), state == .running ? DatabaseValue(ticket.timeLimit) : .null, DatabaseValue(clean),
            ])
        guard let attempt = row?[0].integer else {
            throw DatabaseError(
                .statement, "another runner has taken over this job", sqlState: ClaimState.superseded.rawValue)
        }
        return attempt
    }

    /// Writes the receipt of a success where there was none since the tenant was locked. The text is a third of the other's,
    /// which counts: whatever changed the schema before has made SQLite forget what it had prepared.
    ///
    /// - Throws: also when there is one nevertheless (SQLITE_CONSTRAINT_PRIMARYKEY).
    package func recordFirst(_ ticket: ClaimTicket, rowsAffected: Int) throws(DatabaseError) {
        try session.execute(
            """
            INSERT INTO main.muster_receipts (workspace, holder, runbook, key, tenant, state, attempt, fence, checksum,
                run_id, runner, rows_affected, host, started_at, finished_at)
            VALUES (?1, ?2, ?3, ?4, ?5, 'succeeded', 1, ?6, ?7, ?8, ?9, ?10, ?11,
                strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            """,
            key(ticket) + [
                .text(ticket.tenant), DatabaseValue(ticket.job.fence), .text(ticket.checksum), .text(ticket.run),
                .text(ticket.runner), DatabaseValue(rowsAffected), .text(ticket.host),
            ])
    }

    /// Whether an error of `recordFirst` says that there is a receipt.
    package static func meansReceipt(_ error: DatabaseError) -> Bool { error.engineCode == 1555 }

    func key(_ ticket: ClaimTicket) -> [DatabaseValue] {
        [
            .text(ticket.workspace), .text(ticket.holder), .text(ticket.identity.runbook), .text(ticket.identity.key),
        ]
    }
}
