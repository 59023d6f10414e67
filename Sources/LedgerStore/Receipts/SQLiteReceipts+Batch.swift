package import DatabaseAccess
package import RunbookModel

/// A batch in a tenant's SQLite file: read, statement and receipt in one immediate transaction that the caller has
/// begun, under the tenant's lock.
extension SQLiteReceipts {
    /// Where the next batch begins, and what the earlier ones did.
    package func position(_ ticket: ClaimTicket) throws(DatabaseError) -> BatchPosition {
        let row = try session.row(
            """
            SELECT cursor, rows_affected FROM main.muster_receipts
            WHERE workspace = ?1 AND holder = ?2 AND runbook = ?3 AND key = ?4
                AND state IN ('running', 'failed', 'unknown')
            """, key(ticket))
        return BatchPosition(cursor: row?[0].text, rows: row?[1].integer ?? 0)
    }

    /// Writes how far it has come now.
    ///
    /// - Throws: also when a later claim has left its receipt meanwhile (MU004).
    package func record(_ ticket: ClaimTicket, _ record: BatchRecord) throws(DatabaseError) {
        let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
        let isFirst = record.batches <= 1
        let row = try session.row(
            """
            INSERT INTO main.muster_receipts AS r (workspace, holder, runbook, key, tenant, state, clean, attempt,
                fence, checksum, cursor, rows_affected, run_id, runner, host, started_at, finished_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \(now),
                \(record.state == .running ? "NULL" : now))
            ON CONFLICT (workspace, holder, runbook, key) DO UPDATE SET
                tenant = excluded.tenant, state = excluded.state, clean = excluded.clean,
                attempt = r.attempt + \(isFirst ? 1 : 0), fence = excluded.fence, checksum = excluded.checksum,
                cursor = excluded.cursor, rows_affected = excluded.rows_affected, run_id = excluded.run_id,
                runner = excluded.runner, host = excluded.host,
                started_at = \(isFirst ? "excluded.started_at" : "r.started_at"),
                finished_at = excluded.finished_at, process_group = NULL, process_start = NULL, time_limit_ms = NULL
            WHERE r.fence <= excluded.fence
                AND (r.state NOT IN ('succeeded', 'baselined') OR r.checksum <> excluded.checksum)
            RETURNING attempt
            """,
            key(ticket) + [
                .text(ticket.tenant), .text(record.state.rawValue), DatabaseValue(record.clean),
                DatabaseValue(ticket.job.fence), .text(ticket.checksum), DatabaseValue(record.position.cursor),
                DatabaseValue(record.position.rows), .text(ticket.run), .text(ticket.runner), .text(ticket.host),
            ])
        guard row != nil else {
            throw DatabaseError(
                .statement, "another runner has taken over this job", sqlState: ClaimState.superseded.rawValue)
        }
    }
}
