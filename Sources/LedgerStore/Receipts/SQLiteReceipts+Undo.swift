import DatabaseAccess
import RunbookModel

/// Claims that undo in a tenant's SQLite file.
extension SQLiteReceipts {
    /// - Parameter row: state, checksum, fence, tenant, clean, run_id.
    func refusal(
        _ ticket: ClaimTicket, undoing rule: UndoRule, _ row: DatabaseRow
    ) -> (state: ClaimState, message: String)? {
        let record = row[0].text.flatMap(ExecutionState.init).map {
            RecordedExecution(state: $0, clean: row[4].boolean, checksum: row[1].text ?? "")
        }
        switch rule.decision(record) {
        case .run: return nil
        case .nothing: return row[5].text == ticket.run ? (.doneInRun, "done in this run") : (.done, "done")
        case .drifted: return (.drifted, "done with another body (\(row[1].text ?? ""))")
        case .declared: return (.declared, "declared done by a person")
        case .unseen: return (.unseenEnd, "the end of its last attempt was not seen")
        case .leftovers: return (.unseenEnd, "its last attempt failed and left something behind")
        }
    }

    /// What is written of an attempt. Of an undo that is no transaction `clean` is true while it is under way and nothing of
    /// one has touched the work before: then one that did nothing leaves what it found.
    func kept(
        _ ticket: ClaimTicket, _ state: ExecutionState, _ clean: Bool?
    ) throws(DatabaseError) -> (state: ExecutionState, clean: Bool?, checksum: String) {
        guard let rule = ticket.undoes else { return (state, clean, ticket.checksum) }
        guard state == .running || state == .failed else { return (state, nil, rule.recorded) }
        let row = try session.row(
            """
            SELECT state, clean FROM main.muster_receipts
            WHERE workspace = ?1 AND holder = ?2 AND runbook = ?3 AND key = ?4
            """, key(ticket))
        if state == .running { return (state, row?[0].text == "succeeded" ? true : nil, rule.recorded) }
        if clean == true, row?[1].boolean == true { return (.succeeded, nil, ticket.checksum) }
        return (.failed, false, rule.recorded)
    }
}
