package import DatabaseAccess
import RunbookModel

/// Claim and record in a tenant's own database as plain statements, for a script of which nothing is on record there yet.
///
/// A block of PL/pgSQL is read, compiled and planned anew in each session; in a database that is visited once it takes
/// three times as long as this. What is unusual is not judged here: it ends the message, and the full claim looks again.
extension PostgresReceipts {
    /// The ledger's own database has functions, which are compiled once in a session.
    package func canBeBrief(_ ticket: ClaimTicket) -> Bool { !isLocal && ticket.undoes == nil }

    /// As `claim`: the snapshot of the look is taken when the locks are held.
    ///
    /// - Parameter isFirst: of its message; further ones see to it that what a message has answered so far is sent, once it
    ///   takes its time.
    package func briefClaim(
        _ ticket: ClaimTicket, isFirst: Bool
    ) throws(DatabaseError) -> (statements: Int, text: String) {
        let place = "workspace = \(try literal(ticket.workspace)) AND holder = \(try literal(ticket.holder))"
        var unusual = [
            """
            EXISTS (SELECT FROM \(receipts) WHERE \(place) AND runbook = \(try literal(ticket.identity.runbook))
                AND key = \(try literal(ticket.identity.key)))
            """
        ]
        if let differs = try difference(ticket) {
            unusual.append("(SELECT \(differs) FROM \(receipts) r WHERE \(place))")
        }
        let busy = Self.raise(ClaimState.busy.rawValue, ClaimState.isBusy)
        let again = Self.raise(Self.unclear, "something is on record and is looked at again")
        return (
            4,
            """
            SET LOCAL search_path = pg_catalog, pg_temp;
            SELECT CASE WHEN NOT pg_try_advisory_lock_shared(\(ticket.gateKey)) THEN \(busy)
                WHEN NOT pg_advisory_unlock_shared(\(ticket.gateKey)) THEN \(busy)
                WHEN NOT pg_try_advisory_xact_lock_shared(\(ticket.workspaceKey)) THEN \(busy)
                WHEN NOT pg_try_advisory_xact_lock(\(ticket.tenantKey)) THEN \(busy) END;
            SELECT set_config('muster.claim', CASE WHEN \(unusual.joined(separator: "\n    OR "))
                THEN \(again)::text
                ELSE concat(extract(epoch from clock_timestamp()), \(try literal(" " + ticket.token))) END, true)\(
                    isFirst ? "" : ", " + Self.filler);
            SET LOCAL search_path TO DEFAULT;
            """
        )
    }

    /// As `record`; without the claim's marker its row has no attempt, and is refused.
    package func briefRecord(_ ticket: ClaimTicket) throws(DatabaseError) -> (statements: Int, text: String) {
        let isClaimed = "split_part(current_setting('muster.claim', true), ' ', 2) = \(try literal(ticket.token))"
        let row = try insertion(
            ticket, attempt: "CASE WHEN \(isClaimed) THEN 1 END", state: ticket.aim.rawValue,
            started: "to_timestamp(CASE WHEN \(isClaimed) THEN \(Self.claimed) END)", finished: "clock_timestamp()")
        return (1, "\(row)\nRETURNING (extract(epoch from r.finished_at - r.started_at) * 1000)::int4;")
    }

    /// What a brief claim or record ended with, as the full one would have said it, or `unclear`.
    package static func judged(_ error: DatabaseError, isRecord: Bool) -> DatabaseError {
        var judged = error
        switch (error.sqlState, isRecord) {
        case ("22P02", false) where error.message.contains("muster: \(unclear)"): judged.sqlState = unclear
        case ("22P02", false) where error.message.contains("muster: \(ClaimState.busy.rawValue)"):
            judged.sqlState = ClaimState.busy.rawValue
            judged.message = ClaimState.isBusy
        case ("23502", true):
            judged.sqlState = ClaimState.leftTransaction.rawValue
            judged.message = ClaimState.hasLeft
        case (isThere, true): judged.sqlState = unclear
        default: break
        }
        return judged
    }

    /// What a record that inserts without a look ends with where something is on record after all: a unique violation.
    package static let isThere = "23505"
    /// In place of an SQLSTATE: the full claim is to judge.
    package static let unclear = "MU012"

    /// An expression that fails with 22P02, the code and a word for the server's log; what is not constant is not
    /// evaluated before its turn.
    private static func raise(_ code: String, _ why: String) -> String { "concat('muster: \(code) \(why)')::int4" }

    /// The server sends what it has gathered when 8 KiB are full (PostgreSQL's pqcomm.c).
    private static let filler = """
        repeat(' ', CASE WHEN clock_timestamp() > statement_timestamp() + interval '100 milliseconds' THEN 8192 ELSE 0 END)
        """

    /// Whether the tenant's receipts are not what the ledger means; nil: that is not asked. As `survey`.
    private func difference(_ ticket: ClaimTicket) throws(DatabaseError) -> String? {
        guard let proven = ticket.proven, ticket.holdsOneTenant || !proven.isEmpty else { return nil }
        var differs: [String] = []
        if ticket.holdsOneTenant {
            differs.append("count(CASE WHEN r.tenant <> \(try literal(ticket.tenant)) THEN 1 END) > 0")
        }
        let names = Set(proven.map { "\($0.runbook) \($0.key)" }).sorted()
        if !names.isEmpty {
            let list = try literal(LedgerList.array(names))
            differs.append(
                """
                count(CASE WHEN r.state IN \(LedgerSQL.done) AND r.runbook || ' ' || r.key = ANY (\(list)::text[])
                    THEN 1 END) <> \(names.count)
                """)
        }
        return differs.joined(separator: " OR ")
    }
}
