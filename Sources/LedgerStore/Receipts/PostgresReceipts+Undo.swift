import DatabaseAccess
import RunbookModel

/// Claims that undo in tenants' own databases, over their receipts.
extension PostgresReceipts {
    func examine(_ ticket: ClaimTicket, undoing rule: UndoRule) throws(DatabaseError) -> String {
        // Without any receipt it is as in a tenant that was restored from before; what was declared done may have none.
        let missing = """
            IF v_seen.state IS NULL AND NOT \(rule.takesBaselined) THEN
                RAISE EXCEPTION '%', \(try literal(ticket.identity.description)) USING errcode = 'MU009';
            ELSIF v_seen.state IS NOT NULL AND v_seen.run_id = \(try literal(ticket.run)) THEN
                RAISE EXCEPTION 'done in this run' USING errcode = 'MU010';
            ELSIF v_seen.state IS NOT NULL THEN
                RAISE EXCEPTION 'done' USING errcode = 'MU003';
            END IF;
            """
        let conditions = UndoConditions(
            checksum: try literal(ticket.checksum), acceptsChange: "\(rule.acceptsChange)",
            takesBaselined: "\(rule.takesBaselined)", isBatch: "\(rule.kind == .batch)", isSQL: "\(rule.kind == .sql)",
            isRepeatable: "\(rule.isRepeatable)", isScript: "\(rule.isScript)", nothing: missing)
        return """
            IF v_seen.state <> 'rolled_back' AND v_seen.fence > \(ticket.job.fence) THEN
                RAISE EXCEPTION '\(ClaimState.isSuperseded)' USING errcode = 'MU004';
            END IF;
            \(conditions.rules)

            """
    }

    /// What `clean` says while an undo is under way: true when nothing of one has touched the work before.
    static func wholeBefore(_ state: String) -> String {
        state == ExecutionState.running.rawValue ? "CASE WHEN r.state = 'succeeded' THEN true END" : "NULL"
    }

    /// The end of an undo that is no transaction. One that did nothing leaves what it found, if that was done.
    func endOfUndo(
        _ ticket: ClaimTicket, attempt: Int, state: ExecutionState, clean: Bool?
    ) throws(DatabaseError) -> String {
        let cleanText = clean.map(String.init) ?? "NULL"
        if isLocal {
            return """
                SELECT \(sql.name("end_undo"))(\(try literal(ticket.workspace)), \(try literal(ticket.tenant)), \
                \(try literal(ticket.identity.runbook)), \(try literal(ticket.identity.key)), \
                \(try literal(ticket.checksum)), \(try literal(ticket.runner)), \(attempt), \
                \(try literal(state.rawValue)), \(cleanText), \(ticket.tenantKey))
                """
        }
        let isWhole = "coalesce(lock.held AND clean AND \(clean == true), false)"
        return """
            \(held(ticket))
            UPDATE \(receipts) SET
                state = CASE WHEN NOT lock.held THEN 'unknown' WHEN \(isWhole) THEN 'succeeded'
                    ELSE \(try literal(state.rawValue)) END,
                checksum = CASE WHEN \(isWhole) THEN \(try literal(ticket.checksum)) ELSE checksum END,
                clean = CASE WHEN lock.held AND \(state == .failed) AND NOT \(isWhole) THEN false END,
                finished_at = clock_timestamp(), backend_pid = NULL, backend_start = NULL, process_group = NULL,
                process_start = NULL, time_limit_ms = NULL
            FROM lock
            WHERE workspace = \(try literal(ticket.workspace)) AND holder = \(try literal(ticket.holder))
              AND runbook = \(try literal(ticket.identity.runbook)) AND key = \(try literal(ticket.identity.key))
              AND state = 'running' AND runner = \(try literal(ticket.runner)) AND fence = \(ticket.job.fence)
            RETURNING lock.held
            """
    }
}
