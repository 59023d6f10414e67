import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Declares done, tenant by tenant, what a plan says is undone; nothing is run.
    ///
    /// - Returns: how often each identity was declared, and where it could not be.
    func baseline(
        _ fleet: PlannedFleet, _ request: BaselineRequest, application: String
    ) throws(ServiceError) -> (counts: [Identity: Int], refusals: [BaselineReport.Refusal]) {
        guard let ledger else { throw ServiceError(.internal, "the ledger is not open") }
        let manifest = fleet.plan.manifest
        let longest = fleet.plan.runbooks.map(\.limits.lockWait).max()
        let visitor = TenantVisitor(
            ledger: ledger, manifest: manifest, opener: opener, application: application,
            lockWait: request.lockWait ?? longest ?? RunbookLimits().lockWait)
        try asking { ledger throws(DatabaseError) in
            // What is said of work that the ledger has never heard of must be found again by its views.
            try ledger.remember(
                tenants: fleet.plan.allTenants.tenants, runbooks: manifest.runbooks, pageSize: fleet.plan.pageSize)
        }
        let note = AuditNote(kind: "baseline", actor: request.actor, reason: request.reason)
        var counts: [Identity: Int] = [:]
        var refusals: [BaselineReport.Refusal] = []
        for (place, number) in fleet.unsettled
        where place != fleet.plan.workspacePlace || !request.selection.narrowsTenants {
            let member = fleet.plan.member(at: place)
            let wanted = fleet.outlooks[number].steps.filter { $0.decision == .run || $0.decision == .blocked }
                .map(\.runbook)
            guard !wanted.isEmpty else { continue }
            do throws(DatabaseError) {
                var refused: [BaselineReport.Refusal] = []
                let changed = try visitor.change(member, note: note) { place throws(DatabaseError) in
                    try Self.change(wanted, at: place, visitor.ledger, &refused)
                }
                for identity in changed { counts[identity, default: 0] += 1 }
                refusals += refused
            } catch {
                guard ledger.session.isUsable else { throw ServiceError(LedgerError(error)) }
                refusals.append(
                    BaselineReport.Refusal(
                        tenant: member.tenant.id.nilIfEmpty, identity: nil, reason: .busy, detail: error.message))
            }
        }
        return (counts, refusals)
    }

    /// Under the tenant's lock: everything is read again.
    private static func change(
        _ runbooks: [Runbook], at place: TenantVisitor.Place, _ ledger: Ledger,
        _ refusals: inout [BaselineReport.Refusal]
    ) throws(DatabaseError) -> TenantVisitor.Change {
        let tenant = place.member.tenant.id
        let records = try ledger.records(of: tenant)
        let receipts = Dictionary(
            try place.book?.all().map { ($0.identity, $0) } ?? [], uniquingKeysWith: { $1 })
        var change = TenantVisitor.Change()
        if let other = receipts.values.first(where: { $0.tenant != tenant }) {
            refusals.append(
                BaselineReport.Refusal(
                    tenant: tenant.nilIfEmpty, identity: nil, reason: .foreignReceipt,
                    detail: "receipts stand under the name of tenant \(other.tenant)"))
            return change
        }
        for runbook in runbooks {
            let identity = runbook.identity
            let record = records[identity]?.execution
            let receipt = receipts[identity]
            switch BaselineDecision.of(record, receipt: receipt?.execution) {
            case .done: continue
            case .refuse(let state):
                refusals.append(
                    BaselineReport.Refusal(
                        tenant: tenant.nilIfEmpty, identity: identity, reason: .undecided,
                        detail: "it is \(state.rawValue)"))
            case .follow:
                guard let receipt else { continue }
                change.records.append(
                    RecordChange(
                        identity, seen: record, state: receipt.state, checksum: receipt.checksum, receipt: receipt))
            case .declare:
                if let book = place.book {
                    try book.make()
                    if let receipt {
                        _ = try book.settle(receipt, as: .baselined, checksum: runbook.checksum)
                    } else {
                        _ = try book.add(identity, .baselined, checksum: runbook.checksum)
                    }
                }
                change.records.append(
                    RecordChange(identity, seen: record, state: .baselined, checksum: runbook.checksum))
            }
        }
        return change
    }
}
