package import DatabaseAccess
import RunbookModel

/// Several runbooks of one tenant under locks that their session keeps to the end of the message, in the ledger's own
/// database: the first claim takes the locks and looks, the others see that the tenant's lock was never let go.
extension PostgresReceipts {
    /// Whether these may be claimed so: nothing of them is undone, or may stand among what is sealed. That no pooler shares
    /// the session is the caller's business.
    package func canKeepLocks(_ tickets: [ClaimTicket]) -> Bool {
        isLocal && tickets.count > 1 && tickets.allSatisfy { $0.undoes == nil && !$0.mayBeSealed }
    }

    /// Locks, fence, a look at all of them, marker, and what the first script finds set. A statement; the transaction may be
    /// what BEGIN begins by itself. It ends with `unclear` where the full claim is to judge.
    package func keptClaim(
        _ tickets: [ClaimTicket], setting scene: ClaimScene
    ) throws(DatabaseError) -> (statements: Int, text: String) {
        let ticket = tickets[0]
        // Two that look alike are only looked at once more.
        let names = LedgerList.array(tickets.map { "\($0.identity.runbook) \($0.identity.key)" })
        let text = """
            CALL \(sql.name("claim_kept"))(\(try literal(ticket.token)), \(try literal(ticket.workspace)), \
            \(try literal(ticket.tenant)), \(try literal(names)), \(try literal(ticket.run)), \
            \(try literal(ticket.runner)), \(ticket.job.attempt), \(ticket.gateKey), \(ticket.workspaceKey), \(ticket.tenantKey), \
            \(try scene.arguments));
            """
        return (1, text)
    }

    /// Locks, marker and scene for a further one of them.
    package func nextClaim(
        _ ticket: ClaimTicket, setting scene: ClaimScene
    ) throws(DatabaseError) -> (statements: Int, text: String) {
        let given = """
            \(try literal(ticket.token)), \(ticket.workspaceKey), \(ticket.tenantKey), \(try scene.arguments)
            """
        return (1, "CALL \(sql.name("claim_next"))(\(given));")
    }
}
