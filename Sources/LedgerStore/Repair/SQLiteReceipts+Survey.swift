package import DatabaseAccess
package import RunbookModel

extension SQLiteReceipts {
    /// What the file's own receipts say of a tenant, read before anything is run there.
    package struct Survey {
        /// Of every receipt, whatever its state.
        package var identities: Set<Identity> = []
        /// Why nothing may run, and the identities or the other tenant; nil when the ledger and the file agree.
        package var disagreement: (state: ClaimState, found: String)?
    }

    /// Compares what the ledger says of the tenant with the file's own receipts, in one statement for all of them.
    ///
    /// - Returns: nil when that was done before.
    package func survey(_ ticket: ClaimTicket) throws(DatabaseError) -> Survey? {
        guard let proven = ticket.proven else { return nil }
        var survey = Survey()
        var done: Set<Identity> = []
        var other: String?
        try session.query(
            """
            SELECT runbook, key, tenant, state IN \(LedgerSQL.done) FROM main.muster_receipts
            WHERE workspace = ?1 AND holder = ?2
            """, [.text(ticket.workspace), .text(ticket.holder)]
        ) { row throws(DatabaseError) in
            if let tenant = row[2].text, tenant != ticket.tenant { other = other ?? tenant }
            let identity = Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")
            survey.identities.insert(identity)
            if row[3].boolean == true { done.insert(identity) }
        }
        let missing = proven.filter { !done.contains($0) }
        if ticket.holdsOneTenant, let other {
            survey.disagreement = (.foreignReceipt, "receipts stand under the name of tenant \(other)")
        } else if !missing.isEmpty {
            let list = missing.map { "\($0.runbook)@\($0.key)" }.joined(separator: ", ")
            survey.disagreement = (.missingReceipts, list)
        }
        return survey
    }
}
