import DatabaseAccess
import FoundationEssentials
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Undoes what is done, in the reverse order: a run like that of an apply, over the manifest of undos.
    package func rollback(
        _ manifest: Manifest, _ request: RollbackRequest, events: any EventSink, stop: StopSwitch
    ) async -> Report {
        let startedAt = Date()
        do throws(ServiceError) {
            try await hearOut(manifest, request.run)
            let (undos, asked) = try await reversal(manifest, request)
            return await apply(undos, asked, events: events, stop: stop)
        } catch {
            var report = Self.report(
                of: error, manifest, command: request.run.retryOf == nil ? "rollback" : "retry",
                phase: request.run.selection.phase, signal: stop.signal,
                startedAt: startedAt)
            report.finishedAt = Date()
            events.send(.summary(report))
            return report
        }
    }

    /// What a rollback would do. Writes nothing, takes no lock.
    package func rollbackView(_ manifest: Manifest, _ request: RollbackRequest) async -> RollbackView {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        var view = RollbackView(workspace: manifest.workspace, digest: manifest.source.digest)
        if case .run(let run) = request.subject { view.undoes = run }
        do throws(ServiceError) {
            let (undos, asked) = try await reversal(manifest, request)
            let exists = try await desk.openForReading()
            let (fleet, notices) = try await planned(
                undos, asked.selection, asked.expectedTenants, desk, rollback: asked.rollback)
            view.notices = notices
            let unheard =
                exists ? try await desk.read { ledger throws(DatabaseError) in try ledger.unheardTenants() } : []
            if !unheard.isEmpty {
                view.notices.append(
                    "An apply was under way in \(unheard.count) tenants when it was cancelled. What became of it there is "
                        + "asked before anything is rolled back, and is rolled back too.")
            }
            view.take(fleet)
            guard !fleet.hasDrifted else { throw ServiceError(.drift, Self.driftMessage(fleet)) }
            try refuseUndoing(fleet)
            try await desk.refuseOpenRun(besides: .rollback)
        } catch {
            view.refuse(error, Self.mask(manifest))
        }
        await desk.close()
        return view
    }

    /// Asks tenants what a cancelled apply did there and never told.
    private func hearOut(_ manifest: Manifest, _ request: ApplyRequest) async throws(ServiceError) {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        do throws(ServiceError) {
            if try await desk.openForReading(mayPrepare: true) {
                try await desk.refuseOpenRun(besides: .rollback)
                try await hearOut(manifest, request, desk)
            }
        } catch {
            await desk.close()
            throw error
        }
        await desk.close()
    }

    private func hearOut(
        _ manifest: Manifest, _ request: ApplyRequest, _ desk: LedgerDesk
    ) async throws(ServiceError) {
        let unheard = Set(try await desk.read { ledger throws(DatabaseError) in try ledger.unheardTenants() })
        guard !unheard.isEmpty else { return }
        let set = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
        let members: [TenantSet.Member]
        do throws(TenantSetError) {
            members = try set.selected(by: request.selection).members.filter { unheard.contains($0.tenant.id) }
        } catch { throw ServiceError(.unknownName, "\(error)") }
        await desk.close()
        let application = "muster/\(RunID.make())"
        try await desk.openForWriting(applicationName: application)
        try await desk.hear(
            members, manifest, lockWait: request.lockWait, actor: request.initiator.name, application: application)
    }

    /// The manifest of undos and what is asked of it.
    private func reversal(
        _ manifest: Manifest, _ request: RollbackRequest
    ) async throws(ServiceError) -> (Manifest, ApplyRequest) {
        var asked = request.run
        var scope = RollbackScope(declared: manifest.runbooks, takesBaselined: request.takesBaselined)
        switch request.subject {
        case .runbooks(let names): asked.selection.runbooks = names
        case .run(let run):
            scope.run = run
            let found = try await reading(manifest.ledger, manifest.workspace) { desk async throws(ServiceError) in
                try await desk.finished(by: run)
            }
            guard let found else { throw ServiceError(.unknownName, "There is no ledger, and so no run \(run).") }
            let done = found.sets.reduce(into: Set<Identity>()) { $0.formUnion($1) }
            let listed = Set(manifest.runbooks.map(\.identity))
            let gone = done.subtracting(listed).map(\.description).sorted()
            guard gone.isEmpty else {
                throw ServiceError(
                    .rollback,
                    "Run \(run) did \(gone.joined(separator: ", ")), which the manifest does not list. Nothing was "
                        + "touched. Roll back with the manifest that the run ran: muster show \(run) --format json.")
            }
            // Every runbook is asked about, in each place what that run did there: so the run's stages are the same when it
            // is gone on with, whatever is undone by then.
            asked.selection.runbooks = []
            let undone = chosen(manifest, asked.selection).filter { done.contains($0.identity) }
            scope.sets = found.sets.map { $0.intersection(undone.map(\.identity)) }
            scope.setOf = found.setOf
            try refuseMissing(undone)
            asked.rollback = scope
            return (manifest.undoing(takesBaselined: request.takesBaselined), asked)
        }
        try refuseUnknown(asked.selection, manifest)
        let runbooks = chosen(manifest, asked.selection)
        guard !runbooks.isEmpty else {
            throw ServiceError(
                .unknownName,
                "Nothing that was named can be rolled back there: it is of another phase, or runs once for all tenants."
            )
        }
        asked.selection.runbooks = runbooks.map(\.identity.description)
        try refuseMissing(runbooks)
        asked.rollback = scope
        return (manifest.undoing(takesBaselined: request.takesBaselined), asked)
    }

    private func refuseMissing(_ runbooks: [Runbook]) throws(ServiceError) {
        let missing = runbooks.filter { $0.rollback == nil }.map(\.identity.description)
        guard missing.isEmpty else {
            throw ServiceError(
                .rollback,
                "\(missing.joined(separator: ", ")): the manifest does not say how to undo "
                    + (missing.count == 1 ? "it" : "them") + ". Nothing was touched. Declare a rollback, or leave "
                    + (missing.count == 1 ? "it" : "them") + " out.")
        }
    }

    /// Who names tenants says nothing of what runs once for all of them.
    private func chosen(_ manifest: Manifest, _ selection: Selection) -> [Runbook] {
        manifest.runbooks.filter {
            $0.isSelected(by: selection) && ($0.scope == .tenant || !selection.narrowsTenants)
        }
    }

    /// Refuses, before anything is touched, what would pull the ground from under something that stays, and what no run has
    /// done.
    func refuseUndoing(_ fleet: PlannedFleet) throws(ServiceError) {
        guard fleet.plan.rollback != nil else { return }
        var supports: [Identity: [String: Int]] = [:]
        var declared: [Identity: Int] = [:]
        for outlook in fleet.outlooks {
            for step in outlook.steps {
                switch step.refusal {
                case .supports(let follower):
                    supports[step.runbook.identity, default: [:]][follower, default: 0] += outlook.count
                case .declared: declared[step.runbook.identity, default: 0] += outlook.count
                case nil: break
                }
            }
        }
        if let runbook = fleet.plan.runbooks.first(where: { supports[$0.identity] != nil }),
            let (follower, count) = supports[runbook.identity]?.min(by: { ($1.value, $0.key) < ($0.value, $1.key) })
        {
            let place = runbook.scope == .workspace ? "" : " on \(count) \(count == 1 ? "tenant" : "tenants")"
            throw ServiceError(
                .rollback,
                "\(runbook.identity) stays: \(follower), which stands after it, is done\(place) and is not rolled back. "
                    + "Nothing was touched. Roll back \(follower) as well, or leave those tenants out.")
        }
        if let runbook = fleet.plan.runbooks.first(where: { declared[$0.identity] != nil }) {
            let count = declared[runbook.identity] ?? 0
            let place = runbook.scope == .workspace ? "" : " on \(count) \(count == 1 ? "tenant" : "tenants")"
            throw ServiceError(
                .rollback,
                "\(runbook.identity) was declared done\(place) (muster ledger baseline), not done by a run: the undo may "
                    + "not fit. Nothing was touched. --include-baselined undoes it there, too; --skip-tenant leaves out."
            )
        }
    }
}

extension RollbackView {
    fileprivate mutating func take(_ fleet: PlannedFleet) {
        tenantCount = fleet.plan.tenants.count
        tenants = fleet.outlooks.reduce(0) { sum, outlook in
            sum + (outlook.has(.run) && !outlook.isOfWorkspace ? outlook.count : 0)
        }
        let pending = fleet.counts { $0 == .run }
        let unknown = fleet.counts { $0 == .unknown }
        // Of a run only what it did is shown, of all that could be undone.
        let shown = fleet.plan.runbooks.filter {
            fleet.plan.rollback?.run == nil || pending[$0.identity] != nil || unknown[$0.identity] != nil
        }
        runbooks = shown.map { runbook in
            Undo(
                id: runbook.id, key: runbook.key, scope: runbook.scope, kind: runbook.kind,
                transaction: runbook.isTransactional, file: runbook.file, count: pending[runbook.identity] ?? 0,
                unknown: unknown[runbook.identity] ?? 0)
        }
    }

    fileprivate mutating func refuse(_ error: ServiceError, _ mask: SecretMask) {
        ok = false
        exitCode = Int(error.exitStatus.rawValue)
        self.error = ReportError(code: error.code.rawValue, message: mask.text(error.message))
    }
}
