import DatabaseAccess
import FoundationEssentials
import LedgerStore
import RunbookModel

extension LedgerDesk {
    /// Decides, tenant by tenant, about work whose end nobody saw.
    ///
    /// - Parameter checksum: the manifest's; nil when the key is an older one.
    func resolve(
        _ identity: Identity, checksum: String?, _ members: [TenantSet.Member], _ manifest: Manifest,
        _ request: ResolveRequest, application: String
    ) throws(ServiceError) -> [ResolveReport.Answer] {
        guard let ledger else { throw ServiceError(.internal, "the ledger is not open") }
        let limit = manifest.runbooks.first { $0.id == identity.runbook }?.limits.lockWait
        let visitor = TenantVisitor(
            ledger: ledger, manifest: manifest, opener: opener, application: application,
            lockWait: request.lockWait ?? limit ?? RunbookLimits().lockWait)
        let note = AuditNote(
            kind: "resolve_\(request.decision.rawValue)", actor: request.actor, reason: request.reason)
        var answers: [ResolveReport.Answer] = []
        for member in members {
            var answer = ResolveReport.Answer(tenant: member.tenant.id.nilIfEmpty, before: nil, result: .nothing)
            do throws(DatabaseError) {
                let changed = try visitor.change(member, note: note) { place throws(DatabaseError) in
                    try Self.change(identity, checksum, at: place, visitor, request, &answer)
                }
                if answer.result == .resolved, !changed.contains(identity) {
                    answer.result = .busy
                    answer.detail = "somebody else has changed the ledger's record meanwhile"
                }
            } catch {
                guard ledger.session.isUsable else { throw ServiceError(LedgerError(error)) }
                answer.result = .busy
                answer.detail = error.message
            }
            answers.append(answer)
        }
        return answers
    }

    private static func change(
        _ identity: Identity, _ checksum: String?, at place: TenantVisitor.Place, _ visitor: TenantVisitor,
        _ request: ResolveRequest, _ answer: inout ResolveReport.Answer
    ) throws(DatabaseError) -> TenantVisitor.Change {
        let tenant = place.member.tenant.id
        let ledger = visitor.ledger
        let record = try ledger.records(of: tenant)[identity]
        let receipt = try place.book?.all().first { $0.identity == identity }
        if let receipt, receipt.tenant != tenant {
            answer.detail = "its receipt stands under the name of tenant \(receipt.tenant)"
            return TenantVisitor.Change()
        }
        switch UnseenEnd.of(record?.execution, receipt: receipt?.execution) {
        case .settled(let state):
            answer.before = state
            guard let receipt, receipt.state.isDone, let seen = record?.execution, !seen.state.isDone else {
                return TenantVisitor.Change()
            }
            // A resolve before this one died between the two; apply asks no receipt where the ledger says unknown.
            if request.decision == .applied { answer.result = .resolved }
            return TenantVisitor.Change(records: [
                RecordChange(
                    identity, seen: seen, state: receipt.state, checksum: receipt.checksum, receipt: receipt)
            ])
        case .open(let state):
            answer.before = state
            let runner = receipt?.runner ?? record?.runner
            if state == .running, let runner, try ledger.isAlive(runner) {
                throw DatabaseError(.busy, "muster/\(runner) is at work on it")
            }
        }
        try visitor.clear(identity, at: place)
        let state: ExecutionState = request.decision == .applied ? .succeeded : .failed
        let body = checksum ?? receipt?.checksum ?? record?.execution.checksum ?? ""
        if let book = place.book {
            if let receipt {
                _ = try book.settle(receipt, as: state, checksum: body)
            } else if state == .succeeded {
                guard try book.exists() else {
                    throw DatabaseError(.refused, "the tenant has no receipts at all: see muster ledger repair")
                }
                _ = try book.add(identity, state, checksum: body)
            }
        }
        answer.result = .resolved
        let change = RecordChange(
            identity, seen: record?.execution, state: state, clean: state == .failed ? true : nil, checksum: body,
            message: state == .failed ? "to be run again: \(request.reason)" : nil)
        return TenantVisitor.Change(records: [change])
    }
}
