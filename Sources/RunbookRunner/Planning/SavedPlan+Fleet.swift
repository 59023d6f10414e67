import DatabaseAccess
import RunbookModel

extension SavedPlan {
    private static let samples = 5

    /// - Parameters:
    ///   - report: what the counts are taken from; where a server is away does not count.
    ///   - born: when the ledger was made; nil while there is none.
    init(_ fleet: PlannedFleet, _ report: PlanReport, born: Int?) {
        let plan = fleet.plan
        var runbooks = report.runbooks.map(SavedRunbook.init)
        for index in runbooks.indices {
            runbooks[index].counts.run += runbooks[index].counts.unreachable
            runbooks[index].counts.unreachable = 0
        }
        self.init(
            workspace: plan.manifest.workspace,
            manifest: ManifestFacts(path: plan.manifest.source.path, digest: plan.manifest.source.digest),
            selection: SavedSelection(plan.selection), ledger: LedgerFacts(born: born),
            tenants: TenantFacts(count: plan.tenants.count, digest: Self.digest(of: plan)),
            decisions: DecisionFacts(pending: report.pending, digest: Self.digest(of: fleet)), runbooks: runbooks,
            groups: Self.groups(fleet))
        estimate = report.estimate
        notices = report.notices
    }

    /// Each tenant in scope: its id, where it is, what it is told apart by. Passwords do not count, nor who connects.
    private static func digest(of plan: FleetPlan) -> String {
        var digest = UnorderedDigest()
        // Many tenants have the same address, and to read one takes longer than all the rest.
        var places: [String: String] = [:]
        for member in plan.tenants.members {
            let target = member.target
            let address = target.url.revealed
            let known = places[address] ?? place(address, plan.manifest.source.folder)
            if places.count < 1000 { places[address] = known }
            var parts = [member.tenant.id, known, target.schema ?? ""]
            for setting in target.settings { parts += [setting.name, setting.value] }
            for (name, value) in member.tenant.labels.sorted(by: { $0.key < $1.key }) { parts += [name, value] }
            digest.add(joined(parts))
        }
        return digest.text
    }

    /// A file beside the manifest is the same in another checkout.
    private static func place(_ address: String, _ folder: String) -> String {
        guard let url = try? ConnectionURL(parsing: address) else { return "" }
        guard let path = url.path else { return "\(url.server) \(url.database ?? "")" }
        return path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : path
    }

    /// What would become of each place in which anything is undone.
    private static func digest(of fleet: PlannedFleet) -> String {
        let outlooks = fleet.outlooks.map { outlook in
            joined(outlook.steps.map { "\($0.runbook.identity) \($0.decision.rawValue)" })
        }
        var digest = UnorderedDigest()
        for (place, outlook) in fleet.unsettled {
            digest.add(joined([fleet.plan.tenantID(at: place), outlooks[outlook]]))
        }
        return digest.text
    }

    /// Each part with its length: no two lists of parts make one text.
    private static func joined(_ parts: [String]) -> String {
        parts.map { "\($0.utf8.count):\($0)" }.joined()
    }

    private static func groups(_ fleet: PlannedFleet) -> [Group] {
        var samples: [[String?]] = fleet.outlooks.map { _ in [] }
        for (place, outlook) in fleet.unsettled where samples[outlook].count < Self.samples {
            samples[outlook].append(fleet.plan.tenantID(at: place).nilIfEmpty)
        }
        return zip(fleet.outlooks, samples).filter { $0.0.count > 0 }.map { outlook, samples in
            Group(
                count: outlook.count, sampleTenants: samples,
                steps: outlook.steps.filter { $0.decision != .done && $0.decision != .notApplicable }.map {
                    Step(
                        runbook: $0.runbook.id, key: $0.runbook.key, decision: .init($0.decision), reason: $0.reason)
                })
        }
    }
}
