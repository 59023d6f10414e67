import LedgerStore
import RunbookModel

/// A plan after the ledger was asked: the steps of every tenant that has something undone.
struct PlannedFleet: Sendable {
    let plan: FleetPlan
    let scope: LedgerScope
    /// In the order of the scope.
    fileprivate(set) var unsettled: [Entry] = []
    /// Whether the run that this would be is open; asked only where there is nothing to do.
    var hasOpenRun = false
    fileprivate(set) var byTenant: [String: Int] = [:]
    /// Most tenants are alike: what is judged once is shared.
    private var outlooks: [Likeness: Outlook] = [:]

    struct Entry: Sendable {
        /// Index into the scope's tenants.
        var index: Int
        var member: TenantSet.Member
        var steps: [TenantPlanner.Step]
        /// What the ledger holds as succeeded there, and what a change of the body does not run again.
        var proven: [Identity] = []
    }

    init(plan: FleetPlan, scope: LedgerScope) {
        self.plan = plan
        self.scope = scope
    }

    /// What tenants have in common that are judged alike.
    private struct Likeness: Hashable {
        var group: Int
        var isWorkspace: Bool
        /// Which of the runbooks that look at labels apply.
        var applying: [Int]
    }

    private struct Outlook {
        var steps: [TenantPlanner.Step]
        var proven: [Identity]

        var isSettled: Bool { steps.allSatisfy { $0.decision == .done || $0.decision == .notApplicable } }
    }

    /// Adds a tenant of the scope if, by what is on record, something is undone there.
    mutating func add(_ index: Int, _ records: TenantRecords, ofWorkspace: [Identity: RecordedExecution]) {
        guard let member = plan.member(scope.tenants[index].id) else { return }
        let likeness = records.group.map { group in
            Likeness(group: group, isWorkspace: member.tenant.id.isEmpty, applying: plan.applying(to: member.tenant))
        }
        let outlook = likeness.flatMap { outlooks[$0] } ?? outlook(member, records.executions, ofWorkspace)
        if let likeness { outlooks[likeness] = outlook }
        guard !outlook.isSettled else { return }
        byTenant[member.tenant.id] = unsettled.count
        unsettled.append(Entry(index: index, member: member, steps: outlook.steps, proven: outlook.proven))
    }

    private func outlook(
        _ member: TenantSet.Member, _ recorded: [Int: RecordedExecution], _ ofWorkspace: [Identity: RecordedExecution]
    ) -> Outlook {
        let known = Dictionary(
            recorded.map { (scope.identities[$0.key].identity, $0.value) }, uniquingKeysWith: { $1 }
        ).merging(ofWorkspace) { $1 }
        return Outlook(steps: plan.steps(for: member, recorded: known), proven: proven(recorded))
    }

    /// What of a tenant's records its own receipts must show, by index into the scope's identities.
    private func proven(_ recorded: [Int: RecordedExecution]) -> [Identity] {
        recorded.keys.sorted().filter { index in
            guard let record = recorded[index], record.state == .succeeded else { return false }
            let runbook = plan.manifest.runbooks[index]
            return runbook.scope == .tenant && (record.checksum == runbook.checksum || runbook.onChange != .rerun)
        }.map { scope.identities[$0].identity }
    }

    /// How many tenants in scope are done.
    var settledCount: Int { plan.members.count - unsettled.count { !$0.member.tenant.id.isEmpty } }

    var drifted: [Entry] { unsettled.filter { $0.steps.contains { $0.decision == .drifted } } }

    var hasWork: Bool { unsettled.contains { $0.steps.contains { $0.decision == .run } } }

    func steps(of tenant: String) -> [TenantPlanner.Step]? { byTenant[tenant].map { unsettled[$0].steps } }

    /// The jobs of a run: tenants with something to run are queued in their first stage; where nothing can run, the job
    /// begins with its end.
    func jobs() -> LedgerScope {
        var jobs = scope
        jobs.tenants = unsettled.map { entry in
            var tenant = scope.tenants[entry.index]
            if let stage = plan.nextStage(of: entry.steps, from: 0) {
                tenant.stage = stage
            } else if entry.steps.contains(where: { $0.decision == .unknown }) {
                tenant.state = .unknown
            } else {
                tenant.state = .blocked
                tenant.reason = .after
            }
            return tenant
        }
        return jobs
    }

    /// What a runner does with a job in one stage, and where the tenant has work next.
    func assignment(_ job: ClaimedJob) -> Assignment? {
        guard let member = plan.member(job.tenant), plan.stages.indices.contains(job.stage) else { return nil }
        // A tenant that was done when this plan was made: the claim will say so.
        let steps = steps(of: job.tenant) ?? plan.steps(for: member, recorded: [:])
        let here = steps.filter { plan.stage(of: $0.runbook) == job.stage }
        var assignment = Assignment(
            job: job, member: member, steps: here, nextStage: plan.nextStage(of: steps, from: job.stage + 1))
        if let place = byTenant[job.tenant] { assignment.proven = unsettled[place].proven }
        return assignment
    }
}

extension PlannedFleet {
    /// Turns a step that would run into a blocked one.
    mutating func block(_ identity: Identity, tenant: String, reason: String) {
        guard let place = byTenant[tenant],
            let step = unsettled[place].steps.firstIndex(where: { $0.runbook.identity == identity }),
            unsettled[place].steps[step].decision == .run
        else { return }
        unsettled[place].steps[step].decision = .blocked
        unsettled[place].steps[step].reason = reason
    }
}
