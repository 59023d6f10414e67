import DatabaseAccess
import LedgerStore

extension PostgresReceipts {
    /// The message that carries a script, as the runner composes it.
    func message(around script: String, for ticket: ClaimTicket) throws -> String {
        """
        \(sql.begin);
        \(try claim(ticket).text)
        \(script)
        ;
        SET CONSTRAINTS ALL IMMEDIATE; SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog;
        \(try record(ticket).text)
        COMMIT;
        """
    }
}

extension DatabaseSession {
    /// Sends a message, leaves no transaction open, and answers which refusal it met; nil when all went well.
    func refusal(of text: String) throws -> ClaimState? {
        do {
            try run(text)
            return nil
        } catch {
            if isInTransaction { try run("ROLLBACK") }
            guard let state = error.sqlState.flatMap(ClaimState.init) else { throw error }
            return state
        }
    }
}
