import DatabaseAccess
import RunbookModel

extension PostgresReceipts {
    /// Compares what the ledger says of the tenant with the tenant's own receipts, in one statement for all of them,
    /// before anything is run there. Needs the variables `v_seen` and `v_found`.
    func survey(_ ticket: ClaimTicket) throws(DatabaseError) -> String {
        guard let proven = ticket.proven, ticket.holdsOneTenant || !proven.isEmpty else { return "" }
        let place = """
            r.workspace = \(try literal(ticket.workspace)) AND r.holder = \(try literal(ticket.holder))
            """
        let isStranger = "r.tenant <> \(try literal(ticket.tenant))"
        let stranger = ticket.holdsOneTenant ? "max(CASE WHEN \(isStranger) THEN r.tenant END)" : "NULL"
        let rows = try Set(proven).map { identity throws(DatabaseError) in
            "(\(try literal(identity.runbook)), \(try literal(identity.key)))"
        }
        let list = rows.sorted().joined(separator: ", ")
        let isProven = "r.state IN \(LedgerSQL.done) AND (r.runbook, r.key) IN (VALUES \(list))"
        let count = rows.isEmpty ? "0" : "count(CASE WHEN \(isProven) THEN 1 END)"
        return """
            SELECT \(stranger) AS stranger, \(count) AS proven INTO v_seen FROM \(receipts) r WHERE \(place);
            IF v_seen.stranger IS NOT NULL THEN
                RAISE EXCEPTION 'receipts stand under the name of tenant %', v_seen.stranger USING errcode = 'MU008';
            END IF;
            \(rows.isEmpty ? "" : """
            IF v_seen.proven <> \(rows.count) THEN
                SELECT string_agg(p.runbook || '@' || p.key, ', ') INTO v_found
                    FROM (VALUES \(list)) AS p(runbook, key)
                    WHERE NOT EXISTS (
                        SELECT 1 FROM \(receipts) r WHERE \(place) AND r.runbook = p.runbook AND r.key = p.key
                            AND r.state IN \(LedgerSQL.done));
                RAISE EXCEPTION '%', v_found USING errcode = 'MU009';
            END IF;
            """)

            """
    }
}
