import DatabaseAccess
import LedgerStore

extension PostgresReceipts {
    /// The message that carries a script, as the runner composes it.
    func message(
        around script: String, for ticket: ClaimTicket, isBrief: Bool = false, isFirst: Bool = true
    ) throws -> String {
        """
        \(sql.begin);
        \(try isBrief ? briefClaim(ticket, isFirst: isFirst).text : claim(ticket).text)
        \(script)
        ;
        SET CONSTRAINTS ALL IMMEDIATE; SET SESSION AUTHORIZATION DEFAULT; SET LOCAL search_path = pg_catalog;
        \(try isBrief ? briefRecord(ticket).text : record(ticket).text)
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

    /// The same of a message with brief claims and records: an SQLSTATE of Muster's, or nil when all went well.
    func briefRefusal(of text: String, isRecord: Bool = false) throws -> String? {
        do {
            try run(text)
            return nil
        } catch {
            if isInTransaction { try run("ROLLBACK") }
            let judged = PostgresReceipts.judged(error, isRecord: isRecord)
            guard let state = judged.sqlState, state.hasPrefix("MU") else { throw error }
            return state
        }
    }
}
