import DatabaseAccess
import RunbookModel

extension PostgresReceipts {
    /// Compares what the ledger says of the tenant with the tenant's own receipts, in one statement for all of them,
    /// before anything is run there. Needs the variable `v_found`.
    func survey(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        guard let proven = ticket.proven else { return "" }
        let place = """
            r.workspace = \(try literal(ticket.workspace)) AND r.holder = \(try literal(ticket.holder))
            """
        var text = ""
        if ticket.holdsOneTenant {
            text += """
                SELECT r.tenant INTO v_found FROM \(receipts) r
                    WHERE \(place) AND r.tenant <> \(try literal(ticket.tenant)) LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION 'receipts stand under the name of tenant %', v_found USING errcode = 'MU008';
                END IF;

                """
        }
        guard !proven.isEmpty else { return text }
        let rows = try proven.map { identity throws(DatabaseError) in
            "(\(try literal(identity.runbook)), \(try literal(identity.key)))"
        }
        return text + """
            SELECT string_agg(p.runbook || '@' || p.key, ', ') INTO v_found
                FROM (VALUES \(rows.joined(separator: ", "))) AS p(runbook, key)
                WHERE NOT EXISTS (
                    SELECT 1 FROM \(receipts) r WHERE \(place) AND r.runbook = p.runbook AND r.key = p.key
                        AND r.state IN \(LedgerSQL.done));
            IF v_found IS NOT NULL THEN
                RAISE EXCEPTION '%', v_found USING errcode = 'MU009';
            END IF;

            """
    }
}
