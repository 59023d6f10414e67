import DatabaseAccess
import LedgerStore
package import RunbookModel

extension RunbookService {
    /// What apply would do. Writes nothing, takes no lock, makes no ledger.
    package func plan(
        _ manifest: Manifest, _ selection: Selection, expectedTenants: Int? = nil, concurrency: Int? = nil
    ) async -> PlanReport {
        await plan(manifest, selection, expectedTenants, concurrency, isSaved: false).report
    }

    /// The same, and the plan as `apply` takes it later; nil where it could not be made, or would be refused.
    package func savedPlan(
        _ manifest: Manifest, _ selection: Selection, expectedTenants: Int? = nil, concurrency: Int? = nil
    ) async -> (report: PlanReport, saved: SavedPlan?) {
        await plan(manifest, selection, expectedTenants, concurrency, isSaved: true)
    }

    private func plan(
        _ manifest: Manifest, _ selection: Selection, _ expectedTenants: Int?, _ concurrency: Int?, isSaved: Bool
    ) async -> (report: PlanReport, saved: SavedPlan?) {
        let desk = LedgerDesk(opener: opener, ledger: manifest.ledger, workspace: manifest.workspace)
        do throws(ServiceError) {
            let ledgerExists = try await desk.openForReading()
            let (fleet, notices) = try await planned(manifest, selection, expectedTenants, desk)
            var facts = PlanFacts()
            if fleet.hasWork {
                facts.durations = try await desk.durations(fleet)
                facts = await desk.seeingLocks(fleet, facts)
            }
            let born = isSaved ? try await desk.born : nil
            await desk.close()
            facts.notices = notices + Self.notice(ofUnlisted: fleet.unlisted) + facts.notices
            facts.preflight = await preflight(fleet, concurrency: concurrency, away: facts.away)
            let report = PlanReport(fleet, facts, concurrency: concurrency, ledgerExists: ledgerExists)
            return (report, isSaved && report.ok ? SavedPlan(fleet, report, born: born) : nil)
        } catch {
            await desk.close()
            let report = PlanReport(
                ok: false, exitCode: Int(error.exitStatus.rawValue), workspace: manifest.workspace,
                phase: selection.phase, digest: manifest.source.digest,
                error: ReportError(code: error.code.rawValue, message: error.message))
            return (report, nil)
        }
    }

    /// The tenants, then what the ledger says of them. The desk may have no ledger.
    ///
    /// - Parameter identity: of the run that the plan would be, for who wants to know whether it is open.
    func planned(
        _ manifest: Manifest, _ selection: Selection, _ expectedTenants: Int?, _ desk: LedgerDesk,
        rollback: RollbackScope? = nil,
        identity: (FleetPlan) -> String? = { _ in nil }
    ) async throws(ServiceError) -> (PlannedFleet, notices: [String]) {
        try refuseUnknown(selection, manifest)
        let directory = TenantDirectory(manifest: manifest, opener: opener)
        let all = try await desk.asks(directory)
        var notices: [String] = []
        switch manifest.tenants.expect.verdict(
            count: all.count, lastSeen: await desk.seenTenants, expected: expectedTenants)
        {
        case .accepted: break
        case .notice(let text): notices.append(text)
        case .refused(let text): throw ServiceError(.tenants, text)
        }
        let selected: TenantSet
        do throws(TenantSetError) { selected = try all.selected(by: selection) } catch {
            throw ServiceError(.unknownName, "\(error)")
        }
        if manifest.tenants.isolation == .rowSecurity, let member = selected.members.first,
            !member.target.settings.isEmpty, member.target.schema == nil
        {
            notices += try await desk.checkIsolation(of: selected.members, manifest)
        }
        let plan = FleetPlan(
            manifest: manifest, selection: selection, all: all, tenants: selected, pageSize: pageSize,
            rollback: rollback)
        return (try await desk.plan(plan, identity: identity(plan)), notices)
    }

    func refuseUnknown(_ selection: Selection, _ manifest: Manifest) throws(ServiceError) {
        if let phase = selection.phase, !manifest.phases.contains(phase) {
            throw ServiceError(
                .unknownName, "There is no phase \"\(phase)\"\(nearest(phase, manifest.phases)).")
        }
        let ids = manifest.runbooks.map(\.id) as [String]
        for name in selection.runbooks
        where !ids.contains(name) && !manifest.runbooks.contains(where: { $0.identity.description == name }) {
            throw ServiceError(.unknownName, "There is no runbook \"\(name)\"\(nearest(name, ids)).")
        }
    }

    func nearest(_ name: String, _ names: [String]) -> String {
        NearestName.of(name, in: names).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// What has drifted, by runbook: a file that changed has changed for every tenant.
    static func driftMessage(_ fleet: PlannedFleet) -> String {
        var identities: [Identity] = []
        var first: [Identity: Int] = [:]
        for outlook in fleet.outlooks {
            for step in outlook.steps where step.decision == .drifted {
                let identity = step.runbook.identity
                if first[identity] == nil { identities.append(identity) }
                first[identity] = min(first[identity] ?? .max, outlook.place)
            }
        }
        let counts = fleet.counts { $0 == .drifted }
        let list = identities.prefix(5).map { identity in
            let count = counts[identity] ?? 0
            let tenant = first[identity].flatMap { fleet.plan.tenantID(at: $0).nilIfEmpty }
            let place = count > 1 ? "\(count) tenants" : tenant.map { "tenant \($0)" }
            return "\(identity) (\(place ?? "the workspace"))"
        }
        let more = identities.count > list.count ? " and \(identities.count - list.count) more" : ""
        let subject = identities.count == 1 ? "1 runbook has" : "\(identities.count) runbooks have"
        if fleet.plan.rollback != nil {
            return "\(subject) changed since being applied, and the undo may not fit: \(list.joined(separator: ", "))"
                + "\(more). Nothing was touched. Restore the file, or say on_change: \"accept\"."
        }
        return "\(subject) changed since being applied: \(list.joined(separator: ", "))\(more). Nothing was touched. "
            + "Restore the file, give the runbook a new key, or say on_change."
    }

    /// The command that does what the plan says, as it would be typed.
    static func applyCommand(_ manifest: Manifest, _ selection: Selection) -> String {
        command("apply", nil, manifest, selection)
    }

    /// The command that continues.
    static func nextCommand(_ manifest: Manifest, _ request: ApplyRequest) -> String {
        guard let run = request.retryOf else { return applyCommand(manifest, request.selection) }
        return command("retry", run, manifest, request.narrowing)
    }

    static func command(
        _ verb: String, _ subject: String?, _ manifest: Manifest, _ selection: Selection
    ) -> String {
        var words = ["muster", verb] + [subject].compactMap(\.self) + ["-f", manifest.source.path]
        if let phase = selection.phase { words += ["--phase", phase] }
        for runbook in selection.runbooks { words += ["--runbook", runbook] }
        for tenant in selection.tenants { words += ["--tenant", tenant] }
        for (name, values) in selection.match.sorted(by: { $0.key < $1.key }) {
            for value in values { words += ["--match", "\(name)=\(value)"] }
        }
        for tenant in selection.skippedTenants { words += ["--skip-tenant", tenant] }
        return words.map(quoted).joined(separator: " ")
    }

    /// A word as a shell takes it.
    static func quoted(_ word: String) -> String {
        let isPlain = word.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_./@=:,+%".unicodeScalars.contains($0)
        }
        return isPlain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }
}

extension Runbook {
    /// `sql`, `batch` or `exec`.
    var kind: String {
        switch action {
        case .sql: "sql"
        case .batch: "batch"
        case .exec: "exec"
        }
    }

    /// The script's path, or the hook's program.
    var file: String {
        switch action {
        case .sql(let script): script.path
        case .batch(let work): work.script.path
        case .exec(let command): command.arguments.first ?? ""
        }
    }
}

extension String {
    var nilIfEmpty: String? { isEmpty ? nil : self }
}
