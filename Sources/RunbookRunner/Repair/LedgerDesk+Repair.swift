import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Looks at each tenant, and with an action sets right what that action is for.
    func repair(
        _ members: [TenantSet.Member], _ manifest: Manifest, _ request: RepairRequest, application: String
    ) throws(ServiceError) -> [RepairReport.Finding] {
        guard let ledger else { throw ServiceError(.internal, "the ledger is not open") }
        let longest = manifest.runbooks.map(\.limits.lockWait).max()
        let visitor = TenantVisitor(
            ledger: ledger, manifest: manifest, opener: opener, application: application,
            lockWait: request.lockWait ?? longest ?? RunbookLimits().lockWait)
        var findings: [RepairReport.Finding] = []
        for member in members {
            do throws(DatabaseError) {
                let before = try look(at: member, visitor, manifest, request).map { $0.reported(member, false) }
                guard let action = request.action, before.contains(where: { $0.kind.remedy == action }) else {
                    findings += before
                    continue
                }
                let note = AuditNote(
                    kind: "repair_\(action.rawValue)", actor: request.actor, reason: request.reason)
                _ = try visitor.change(member, note: note) { place throws(DatabaseError) in
                    try Self.change(action, at: place, visitor.ledger, manifest, request)
                }
                let after = try look(at: member, visitor, manifest, request).map { $0.reported(member, false) }
                findings += before.filter { !after.contains($0) }.map { finding in
                    var finding = finding
                    finding.repaired = true
                    return finding
                }
                findings += after
            } catch {
                guard ledger.session.isUsable else { throw ServiceError(LedgerError(error)) }
                findings.append(
                    RepairReport.Finding(
                        tenant: member.tenant.id.nilIfEmpty, identity: nil, kind: .unanswered, detail: error.message))
            }
        }
        return findings
    }

    private func look(
        at member: TenantSet.Member, _ visitor: TenantVisitor, _ manifest: Manifest, _ request: RepairRequest
    ) throws(DatabaseError) -> [Disagreement.Finding] {
        try visitor.look(at: member) { place throws(DatabaseError) in
            try Self.findings(at: place, visitor.ledger, manifest, request)
        }
    }

    private static func findings(
        at place: TenantVisitor.Place, _ ledger: Ledger, _ manifest: Manifest, _ request: RepairRequest
    ) throws(DatabaseError) -> [Disagreement.Finding] {
        let tenant = place.member.tenant.id
        let runbooks = request.selection.runbooks
        return Disagreement(
            tenant: tenant, records: try ledger.records(of: tenant),
            receipts: try place.book.map { book throws(DatabaseError) in try book.all() },
            runbooks: manifest.runbooks.filter { $0.scope == (tenant.isEmpty ? .workspace : .tenant) }
        ) { runbooks.isEmpty || runbooks.contains($0.runbook) || runbooks.contains($0.description) }.findings
    }

    /// Under the tenant's lock: everything is read again.
    private static func change(
        _ action: RepairReport.Action, at place: TenantVisitor.Place, _ ledger: Ledger, _ manifest: Manifest,
        _ request: RepairRequest
    ) throws(DatabaseError) -> TenantVisitor.Change {
        let found = try findings(at: place, ledger, manifest, request).filter { $0.kind.remedy == action }
        var change = TenantVisitor.Change()
        guard !found.isEmpty else { return change }
        switch action {
        case .adopt:
            guard let book = place.book else { return change }
            let names = Set(found.compactMap(\.detail)).sorted().joined(separator: ", ")
            change.acts.append("\(try book.adopt()) receipts of \(names)")
            let records = try ledger.records(of: place.member.tenant.id)
            for receipt in try book.all() where receipt.state.isDone {
                let record = records[receipt.identity]?.execution
                guard record?.state.isDone != true else { continue }
                change.records.append(
                    RecordChange(
                        receipt.identity, seen: record, state: receipt.state, checksum: receipt.checksum,
                        receipt: receipt))
            }
        case .forgetMissing:
            change.records = found.compactMap { finding in
                guard let record = finding.record?.execution else { return nil }
                return RecordChange(
                    finding.identity, seen: record, state: .rolledBack, checksum: record.checksum,
                    message: "the tenant had no receipt of it: \(request.reason)")
            }
        case .acceptChecksum:
            for finding in found {
                let record = finding.record?.execution
                guard let checksum = finding.checksum ?? record?.checksum ?? finding.receipt?.checksum else { continue }
                _ = try place.book?.accept(checksum, for: finding.identity)
                guard let record, record.state.isDone else { continue }
                change.records.append(
                    RecordChange(finding.identity, seen: record, state: record.state, checksum: checksum))
            }
        }
        return change
    }
}

extension Disagreement.Finding {
    fileprivate func reported(_ member: TenantSet.Member, _ repaired: Bool) -> RepairReport.Finding {
        RepairReport.Finding(
            tenant: member.tenant.id.nilIfEmpty, identity: identity, kind: kind, detail: detail, repaired: repaired)
    }
}
