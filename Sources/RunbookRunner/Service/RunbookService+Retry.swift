import DatabaseAccess
import FoundationEssentials
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// Runs again what a completed run did not get done, and nothing else; in all else it is an apply.
    ///
    /// - Parameter listing: the runbooks in the text of the manifest that the run ran.
    package func retry(
        _ manifest: Manifest, run: String, _ request: ApplyRequest,
        listing: @Sendable (String) -> [ListedRunbook], events: any EventSink, stop: StopSwitch
    ) async -> Report {
        let startedAt = Date()
        var request = request
        request.retryOf = run
        request.narrowing = request.selection
        let narrowing = request.narrowing
        var report: Report
        do throws(ServiceError) {
            let found = try await reading(manifest.ledger, manifest.workspace) { desk async throws(ServiceError) in
                try await retrySelection(manifest, run, narrowing, listing, desk)
            }
            guard let found else { throw ServiceError(.unknownName, "There is no ledger, and so no run \(run).") }
            if let (selection, notices, undoing) = found {
                request.selection = selection
                request.notices = notices
                if let undoing {
                    return await rollback(
                        manifest, RollbackRequest(undoing, run: request), events: events, stop: stop)
                }
                return await apply(manifest, request, events: events, stop: stop)
            }
            report = Report(
                command: request.command, ok: true, exitCode: 0, outcome: .succeeded, nothingToDo: true,
                workspace: manifest.workspace, startedAt: startedAt, finishedAt: startedAt, durationMS: 0)
        } catch {
            report = Self.report(
                of: error, manifest, command: request.command, phase: nil, signal: stop.signal, startedAt: startedAt)
        }
        report.finishedAt = Date()
        report.durationMS = Int((report.finishedAt.timeIntervalSince(startedAt) * 1000).rounded())
        events.send(.summary(report))
        return report
    }

    /// nil when the run left nothing undone, or nothing where the caller asks.
    private func retrySelection(
        _ manifest: Manifest, _ run: String, _ narrowing: Selection, _ listing: (String) -> [ListedRunbook],
        _ desk: LedgerDesk
    ) async throws(ServiceError) -> (Selection, notices: [String], undoing: RollbackRequest.Subject?)? {
        let known = try await desk.read { ledger throws(DatabaseError) in try ledger.unfinished(ofRun: run) }
        guard let known else {
            throw ServiceError(
                .unknownName,
                "There is no run \(run) in workspace \"\(manifest.workspace)\"; `muster runs` lists them.")
        }
        guard known.status == .completed else {
            throw ServiceError(
                .run,
                "Run \(run) is still open: muster \(known.kind.rawValue) goes on with it, muster cancel \(run) ends it."
            )
        }
        guard !known.isFolded else {
            throw ServiceError(
                .run,
                "What run \(run) did was folded away (ledger.retention); muster \(known.kind.rawValue) does what is left."
            )
        }
        guard !known.tenants.isEmpty else { return nil }
        let left = Set(known.tenants).subtracting([""])
        let scope = RetryScope(
            listed: listing(known.manifest), phase: known.phase, selection: known.selection,
            manifest: manifest.runbooks, onlyWorkspace: left.isEmpty)
        if known.kind == .rollback {
            let subject = known.undoes.map(RollbackRequest.Subject.run) ?? .runbooks(scope.runbooks.map(\.description))
            // What runs once is left as well: then no tenant is named, and those that are done are passed by.
            let names = left.count < known.tenants.count ? [] : known.tenants
            var selection = narrowing
            selection.phase = known.phase
            if !narrowing.tenants.isEmpty {
                selection.tenants = narrowing.tenants.filter(left.contains)
                guard !selection.tenants.isEmpty else { return nil }
            } else {
                selection.tenants = names
            }
            return (selection, [], subject)
        }
        let undone = try await desk.undone(scope.gone, in: known.tenants, ofRun: run)
        guard undone.isEmpty else {
            let names = undone.map(\.description).joined(separator: ", ")
            throw ServiceError(
                .run, "Run \(run) did not get \(names) done, and the manifest lists that no more; see muster apply.")
        }
        guard !scope.runbooks.isEmpty else {
            throw ServiceError(.run, "The manifest lists nothing of what run \(run) did not get done.")
        }
        guard !left.isEmpty || !narrowing.narrowsTenants else { return nil }
        var selection = narrowing
        selection.phase = known.phase
        selection.runbooks = scope.runbooks.map(\.description)
        var notices: [String] = []
        if !left.isEmpty {
            let all = try await desk.asks(TenantDirectory(manifest: manifest, opener: opener))
            selection.tenants = known.tenants.filter { !$0.isEmpty && all.position(of: $0) != nil }
            let lost = left.count - selection.tenants.count
            guard !selection.tenants.isEmpty else {
                throw ServiceError(.tenants, "None of the tenants that run \(run) did not get done is there any more.")
            }
            if let name = narrowing.tenants.first(where: { all.position(of: $0) == nil }) {
                throw ServiceError(
                    .unknownName,
                    "--tenant \(TenantID.shown(name)): there is no such tenant; `muster tenants` lists them.")
            }
            if !narrowing.tenants.isEmpty {
                selection.tenants = selection.tenants.filter(narrowing.tenants.contains)
                guard !selection.tenants.isEmpty else { return nil }
            } else if lost > 0 {
                notices.append("\(lost) tenants of run \(run) are not there any more.")
            }
        }
        return (selection, notices, nil)
    }

    /// A retry is for what failed; work whose end nobody saw is for a person first. In a run that is open it may be under
    /// way: that run is joined, and says so if it is not. What was under way may have ended since it was planned.
    ///
    /// - Parameter identity: of the run that this one would join.
    func refuseUndecided(
        _ fleet: inout PlannedFleet, _ identity: String, _ desk: LedgerDesk
    ) async throws(ServiceError) {
        guard fleet.outlooks.contains(where: { $0.has(.unknown) }), try await !desk.hasOpenRun(identity) else { return }
        fleet = try await desk.plan(fleet.plan, identity: identity)
        try refuseUndecided(fleet)
    }

    /// Refuses what is planned over work whose end nobody saw.
    func refuseUndecided(_ fleet: PlannedFleet) throws(ServiceError) {
        for outlook in fleet.outlooks {
            guard let step = outlook.steps.first(where: { $0.decision == .unknown }) else { continue }
            let tenant = fleet.plan.tenantID(at: outlook.place)
            let place = tenant.isEmpty ? "" : " --tenant \(Self.quoted(tenant))"
            let count = fleet.counts { $0 == .unknown }[step.runbook.identity] ?? 1
            let others = count > 1 ? " (and \(count - 1) tenants more)" : ""
            throw ServiceError(
                .undecided,
                "\(step.runbook.identity)\(tenant.isEmpty ? "" : " in \(tenant)")\(others) is unknown: "
                    + "\(step.reason ?? "its end was not seen"). Nothing was touched. Look there, then say what became "
                    + "of it: muster resolve \(step.runbook.identity)\(place) --applied or --retry, with --reason.")
        }
    }
}

extension LedgerDesk {
    /// Which of these a run tried in vain or, as far as it can be told without a manifest, are not done in its tenants.
    func undone(
        _ runbooks: [ListedRunbook], in tenants: [String], ofRun run: String
    ) throws(ServiceError) -> [Identity] {
        guard !runbooks.isEmpty else { return [] }
        return try read { ledger throws(DatabaseError) in
            let failed = Set(
                try ledger.failures(ofRun: run).compactMap { failure in
                    failure.runbook.map { Identity(runbook: $0, key: failure.key ?? "") }
                })
            var undone: [Identity] = []
            for runbook in runbooks {
                let places = tenants.filter { $0.isEmpty == (runbook.scope == .workspace) }
                let scope = LedgerScope(
                    tenants: places.map { LedgerScope.ScopedTenant(id: $0, cohort: 0) },
                    identities: [
                        LedgerScope.ScopedIdentity(identity: runbook.identity, checksum: "", acceptsChange: true)
                    ], members: [LedgerScope.Member(cohort: 0, identity: 0)])
                if failed.contains(runbook.identity) {
                    undone.append(runbook.identity)
                } else if !runbook.hasMatch, try ledger.countUnsettled(in: scope) > 0 {
                    undone.append(runbook.identity)
                }
            }
            return undone
        }
    }
}
