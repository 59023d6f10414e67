import DatabaseAccess
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Lets the ledger follow the receipts of tenants in which a cancelled apply may have done what it never told: else a
    /// rollback would leave it there and say that nothing is done any more.
    ///
    /// - Throws: when one of them could not be asked.
    func hear(
        _ members: [TenantSet.Member], _ manifest: Manifest, lockWait: Duration?, actor: String, application: String
    ) throws(ServiceError) {
        guard let ledger else { throw ServiceError(.internal, "the ledger is not open") }
        let longest = manifest.runbooks.map(\.limits.lockWait).max()
        let visitor = TenantVisitor(
            ledger: ledger, manifest: manifest, opener: opener, application: application,
            lockWait: lockWait ?? longest ?? RunbookLimits().lockWait)
        let note = AuditNote(kind: "follow_receipts", actor: actor, reason: "before a rollback")
        for member in members {
            do throws(DatabaseError) {
                let followed = try visitor.change(member, note: note) { place throws(DatabaseError) in
                    TenantVisitor.Change(records: try Self.unheard(at: place, ledger))
                }
                for runbook in manifest.runbooks where runbook.batch != nil && followed.contains(runbook.identity) {
                    try ledger.noteBackfill(runbook.identity, tenant: member.tenant.id)
                }
            } catch {
                guard ledger.session.isUsable else { throw ServiceError(LedgerError(error)) }
                throw ServiceError(
                    .unreachable,
                    "An apply was under way in tenant \(TenantID.shown(member.tenant.id)) when it was cancelled, and the "
                        + "tenant could not be asked what became of it: \(error.message). Nothing was rolled back. Try "
                        + "again later, or leave it out with --skip-tenant.")
            }
        }
    }

    /// What the tenant has a receipt of, and the ledger neither as done nor as begun.
    private static func unheard(
        at place: TenantVisitor.Place, _ ledger: Ledger
    ) throws(DatabaseError) -> [RecordChange] {
        guard let book = place.book else { return [] }
        let tenant = place.member.tenant.id
        let records = try ledger.records(of: tenant)
        return try book.all().compactMap { receipt in
            let record = records[receipt.identity]?.execution
            let isBegun = receipt.state.isDone || receipt.state == .running || receipt.state == .unknown
            guard receipt.tenant == tenant, isBegun, record?.state.isDone != true, record?.state != receipt.state
            else { return nil }
            return RecordChange(
                receipt.identity, seen: record, state: receipt.state, checksum: receipt.checksum, receipt: receipt)
        }
    }
}
