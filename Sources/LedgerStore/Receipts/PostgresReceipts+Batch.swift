package import DatabaseAccess
package import RunbookModel

/// What one batch writes about itself.
package struct BatchRecord: Sendable {
    package var state: ExecutionState
    package var position: BatchPosition
    /// Committed by this attempt, this one among them.
    package var batches: Int
    /// Of one that failed: whether nothing of it remains.
    package var clean: Bool?

    package init(state: ExecutionState, position: BatchPosition, batches: Int, clean: Bool? = nil) {
        self.state = state
        self.position = position
        self.batches = batches
        self.clean = clean
    }
}

/// A batch in PostgreSQL: `claim` comes first in its transaction, then where it goes on, then its statement, then this
/// record of how far it has come, then COMMIT. So each batch and its cursor stand or fall together.
extension PostgresReceipts {
    private var records: String { isLocal ? sql.executions : receipts }

    /// One row under the claim's lock: cursor and rows so far; none when the batches begin from the start.
    package func position(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        let holder = isLocal ? "tenant" : "holder"
        let equals = "OPERATOR(pg_catalog.=)"
        return """
            SELECT cursor, rows_affected FROM \(records) WHERE workspace \(equals) \(try literal(ticket.workspace))
                AND \(holder) \(equals) \(try literal(isLocal ? ticket.tenant : ticket.holder))
                AND runbook \(equals) \(try literal(ticket.identity.runbook))
                AND key \(equals) \(try literal(ticket.identity.key))
                AND state \(equals) ANY ('{running,failed,unknown}'::pg_catalog.text[]);
            """
    }

    /// Proof and receipt: to be sent behind the statement, under the session's own role and `pg_catalog` as its path.
    package func record(_ ticket: ClaimTicket, _ record: BatchRecord) throws(DatabaseError) -> String {
        let cursor = try record.position.cursor.map { text throws(DatabaseError) in try literal(text) } ?? "NULL"
        let state = try literal(record.state.rawValue)
        if isLocal {
            return """
                SELECT \(sql.name("record_batch"))(\(try literal(ticket.token)), \(try literal(ticket.workspace)), \
                \(try literal(ticket.tenant)), \(try literal(ticket.identity.runbook)), \
                \(try literal(ticket.identity.key)), \(try literal(ticket.checksum)), \(try literal(ticket.run)), \
                \(try literal(ticket.runner)), \(state), \(cursor), \(record.position.rows), \(record.batches));
                """
        }
        let isFirst = record.batches <= 1
        let clean = record.clean.map { $0 ? "true" : "false" } ?? "NULL"
        let body = """
            BEGIN
                IF current_setting('muster.claim', true) IS DISTINCT FROM
                    split_part(current_setting('muster.claim', true), ' ', 1) || \(try literal(" " + ticket.token)) THEN
                    RAISE EXCEPTION 'the statement ended the transaction it ran in, or reset all settings'
                        USING errcode = 'MU002';
                END IF;
                INSERT INTO \(receipts) AS r (workspace, holder, tenant, runbook, key, state, clean, attempt, fence,
                    checksum, cursor, rows_affected, run_id, runner, started_at, finished_at, host)
                VALUES (\(try literal(ticket.workspace)), \(try literal(ticket.holder)), \(try literal(ticket.tenant)),
                    \(try literal(ticket.identity.runbook)), \(try literal(ticket.identity.key)), \(state), \(clean), 1,
                    \(ticket.job.fence), \(try literal(ticket.checksum)), \(cursor), \(record.position.rows),
                    \(try literal(ticket.run)), \(try literal(ticket.runner)), now(),
                    \(record.state == .running ? "NULL" : "clock_timestamp()"), \(try literal(ticket.host)))
                ON CONFLICT (workspace, holder, runbook, key) DO UPDATE SET
                    state = excluded.state, clean = excluded.clean, tenant = excluded.tenant,
                    attempt = r.attempt + \(isFirst ? 1 : 0), fence = excluded.fence, checksum = excluded.checksum,
                    cursor = excluded.cursor, rows_affected = excluded.rows_affected, run_id = excluded.run_id,
                    runner = excluded.runner,
                    started_at = \(isFirst ? "excluded.started_at" : "r.started_at"),
                    finished_at = excluded.finished_at, host = excluded.host, backend_pid = NULL, backend_start = NULL,
                    process_group = NULL, process_start = NULL, time_limit_ms = NULL
                WHERE r.fence <= excluded.fence
                    AND (r.state NOT IN ('succeeded', 'baselined') OR r.checksum <> excluded.checksum);
                IF NOT FOUND THEN
                    RAISE EXCEPTION '\(ClaimState.isSuperseded)' USING errcode = 'MU004';
                END IF;
            END
            """
        return "DO \(try literal(body));"
    }
}
