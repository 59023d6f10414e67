package import DatabaseAccess
import RunbookModel

/// Several runbooks of one tenant that are one transaction, in the ledger's own database: one claim, one record, and a
/// step between two scripts.
extension PostgresReceipts {
    /// Whether these can be claimed and recorded together. Elsewhere, and where they are undone, each is by itself.
    package func canShareClaim(_ tickets: [ClaimTicket]) -> Bool {
        isLocal && tickets.count > 1 && tickets.allSatisfy { $0.undoes == nil }
    }

    /// Locks, fence, re-read of all of them, marker, and what the first script finds set. A statement. The detail of a
    /// refusal says whose it is, from 1.
    package func claim(stage tickets: [ClaimTicket], setting scene: ClaimScene) throws(DatabaseError) -> String {
        let first = tickets[0]
        let agains = LedgerList.booleans(tickets.lazy.map(\.mayRepeat), .postgresql).text ?? "{}"
        return """
            SELECT \(sql.name("claim_stage"))(\(try literal(first.token)), \(try names(tickets)), \
            \(try list(tickets.map(\.checksum))), \(try list(tickets.map(\.rule))), \(try literal(agains)), \
            \(try literal(first.run)), \(try literal(first.runner)), \(first.job.attempt), \
            \(first.gateKey), \(first.workspaceKey), \(first.tenantKey), \
            \(tickets.contains(where: \.mayBeSealed)), \(try scene.arguments));
            """
    }

    /// Takes back what a script has set, and sets what the next one finds. A statement, to be sent under `pg_catalog` as
    /// path.
    package func step(in stage: [ClaimTicket], setting scene: ClaimScene) throws(DatabaseError) -> String {
        "CALL \(sql.name("step"))(\(try literal(stage[0].token)), \(try scene.arguments));"
    }

    /// Proof and receipts of all of them: as `record`. A statement; its row has the seconds at which each script began,
    /// and at which the last one ended, with commas.
    package func record(stage tickets: [ClaimTicket], areNew: Bool) throws(DatabaseError) -> String {
        let first = tickets[0]
        return """
            SELECT \(sql.name("record_stage"))(\(try literal(first.token)), \(try names(tickets)), \
            \(try list(tickets.map(\.recordedChecksum))), \(try literal(first.run)), \(try literal(first.runner)), \(areNew));
            """
    }

    private func names(_ tickets: [ClaimTicket]) throws(DatabaseError) -> String {
        """
        \(try literal(tickets[0].workspace)), \(try literal(tickets[0].tenant)), \
        \(try list(tickets.map(\.identity.runbook))), \(try list(tickets.map(\.identity.key)))
        """
    }

    private func list(_ texts: [String]) throws(DatabaseError) -> String { try literal(LedgerList.array(texts)) }
}
