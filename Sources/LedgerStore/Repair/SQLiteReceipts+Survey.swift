package import DatabaseAccess
import RunbookModel

extension SQLiteReceipts {
    /// Compares what the ledger says of the tenant with the file's own receipts, in one statement for all of them,
    /// before anything is run there.
    ///
    /// - Returns: why nothing may run, and the identities or the other tenant; nil when all agrees.
    package func survey(_ ticket: ClaimTicket) throws(DatabaseError) -> (state: ClaimState, found: String)? {
        guard let proven = ticket.proven else { return nil }
        let place: [DatabaseValue] = [.text(ticket.workspace), .text(ticket.holder)]
        if ticket.holdsOneTenant,
            let other = try session.row(
                "SELECT tenant FROM main.muster_receipts WHERE workspace = ?1 AND holder = ?2 AND tenant <> ?3 LIMIT 1",
                place + [.text(ticket.tenant)])
        {
            return (.foreignReceipt, "receipts stand under the name of tenant \(other[0].text ?? "")")
        }
        guard !proven.isEmpty else { return nil }
        let list = proven.map { LedgerList.json([$0.runbook, $0.key]) }.joined(separator: ",")
        let missing = try session.row(
            """
            SELECT group_concat(json_extract(p.value, '$[0]') || '@' || json_extract(p.value, '$[1]'), ', ')
            FROM json_each(?3) AS p WHERE NOT EXISTS (
                SELECT 1 FROM main.muster_receipts AS r WHERE r.workspace = ?1 AND r.holder = ?2
                    AND r.runbook = json_extract(p.value, '$[0]') AND r.key = json_extract(p.value, '$[1]')
                    AND r.state IN \(LedgerSQL.done))
            """, place + [.text("[\(list)]")])
        return missing?[0].text.map { (.missingReceipts, $0) }
    }
}
