import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// What ledger and tenants disagree about; with an action, sets that right, each tenant under its lock.
    package func repair(_ manifest: Manifest, _ request: RepairRequest) async -> RepairReport {
        let mask = Self.mask(manifest)
        return await withDesk(manifest) { desk, application async throws(ServiceError) in
            try refuseUnknown(request.selection, manifest)
            var members = try await selected(manifest, request.selection, desk)
            if request.selection.tenants.isEmpty, request.selection.match.isEmpty,
                manifest.runbooks.contains(where: { $0.scope == .workspace })
            {
                members.append(FleetPlan.workspaceMember(manifest))
            }
            try await open(desk, isReadOnly: request.action == nil, application)
            var findings = try await desk.repair(members, manifest, request, application: application)
            for index in findings.indices { findings[index].detail = mask.text(findings[index].detail) }
            let exit = findings.filter { !$0.repaired }.reduce(ExitStatus.done) {
                $0.merged(with: $1.kind == .unanswered ? .tryAgain : .refused)
            }
            return RepairReport(
                ok: exit == .done, exitCode: Int(exit.rawValue), workspace: manifest.workspace, action: request.action,
                tenants: members.count { !$0.tenant.id.isEmpty }, findings: findings)
        } failed: { error in
            RepairReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: manifest.workspace,
                action: request.action,
                error: ReportError(code: error.code.rawValue, message: mask.text(error.message)))
        }
    }

    /// Settles work whose end nobody saw, as a person has found it.
    package func resolve(_ manifest: Manifest, _ request: ResolveRequest) async -> ResolveReport {
        let mask = Self.mask(manifest)
        let runbook = manifest.runbooks.first { $0.id == request.runbook }
        let identity = Identity(runbook: request.runbook, key: request.key ?? runbook?.key ?? "")
        return await withDesk(manifest) { desk, application async throws(ServiceError) in
            try await open(desk, isReadOnly: true, application)
            try await refuseUnknown(identity, request, manifest, desk)
            let members =
                runbook?.scope == .workspace
                ? [FleetPlan.workspaceMember(manifest)] : try await selected(manifest, request.selection, desk)
            await desk.close()
            try await open(desk, isReadOnly: false, application)
            let isCurrent = identity == runbook?.identity
            var answers = try await desk.resolve(
                identity, checksum: isCurrent ? runbook?.checksum : nil, members, manifest, request,
                application: application)
            for index in answers.indices { answers[index].detail = mask.text(answers[index].detail) }
            if request.selection.narrowsTenants, request.selection.tenants.isEmpty {
                answers.removeAll { $0.result == .nothing && $0.detail == nil }
                guard !answers.isEmpty else {
                    throw ServiceError(
                        .unknownName,
                        "In none of the \(members.count) tenants is there anything to decide of \(identity).")
                }
            }
            let exit = answers.reduce(ExitStatus.done) { exit, answer in
                switch answer.result {
                case .resolved: exit
                case .nothing: exit.merged(with: .refused)
                case .busy: exit.merged(with: .tryAgain)
                }
            }
            return ResolveReport(
                ok: exit == .done, exitCode: Int(exit.rawValue), workspace: manifest.workspace, identity: identity,
                decision: request.decision, tenants: answers)
        } failed: { error in
            ResolveReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: manifest.workspace, identity: identity,
                decision: request.decision,
                error: ReportError(code: error.code.rawValue, message: mask.text(error.message)))
        }
    }

    func withDesk<Answer: Sendable>(
        _ manifest: Manifest, _ body: (LedgerDesk, String) async throws(ServiceError) -> Answer,
        failed: (ServiceError) -> Answer
    ) async -> Answer {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        let answer: Answer
        do throws(ServiceError) { answer = try await body(desk, "muster/\(RunID.make())") } catch {
            answer = failed(error)
        }
        await desk.close()
        return answer
    }

    /// A ledger is never made here.
    private func open(
        _ desk: LedgerDesk, isReadOnly: Bool, _ application: String
    ) async throws(ServiceError) {
        guard try await desk.openForReading() else {
            throw ServiceError(.ledger, "There is no ledger, so there is nothing to set right.")
        }
        guard !isReadOnly else { return }
        await desk.close()
        try await desk.openForWriting(applicationName: application)
    }

    private func selected(
        _ manifest: Manifest, _ selection: Selection, _ desk: LedgerDesk
    ) async throws(ServiceError) -> [TenantSet.Member] {
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        do throws(TenantSetError) { return Array(try set.selected(by: selection).members) } catch {
            throw ServiceError(.unknownName, "\(error)")
        }
    }

    private func refuseUnknown(
        _ identity: Identity, _ request: ResolveRequest, _ manifest: Manifest, _ desk: LedgerDesk
    ) async throws(ServiceError) {
        let runbook = manifest.runbooks.first { $0.id == identity.runbook }
        let known = try await desk.read { ledger throws(DatabaseError) in try ledger.keys(of: identity.runbook) }
        guard identity == runbook?.identity || known.contains(identity.key) else {
            let ids = manifest.runbooks.map(\.id) as [String]
            guard runbook != nil || !known.isEmpty else {
                throw ServiceError(
                    .unknownName,
                    "There is no runbook \"\(identity.runbook)\"\(nearest(identity.runbook, ids)).")
            }
            let keys = Set(known + [runbook?.key].compactMap(\.self)).sorted().joined(separator: ", ")
            throw ServiceError(
                .unknownName, "\(identity.runbook) has no key \"\(identity.key)\"; there is: \(keys).")
        }
        switch (runbook?.scope, !request.selection.narrowsTenants) {
        case (.workspace?, false):
            throw ServiceError(.unknownName, "\(identity.runbook) runs once for the workspace, not in a tenant.")
        case (.tenant?, true), (nil, true):
            throw ServiceError(
                .unknownName, "\(identity.runbook) runs in tenants: say which with --tenant, --match or --skip-tenant.")
        default: break
        }
    }
}
