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
    /// Most tenants have the same list: they share it.
    private var provenLists: [[Int]: [Identity]] = [:]

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

    /// What of a tenant's records its own receipts must show, by index into the scope's identities.
    mutating func proven(_ recorded: [Int: RecordedExecution]) -> [Identity] {
        let indices = recorded.keys.sorted().filter { index in
            guard let record = recorded[index], record.state == .succeeded else { return false }
            let runbook = plan.manifest.runbooks[index]
            return runbook.scope == .tenant && (record.checksum == runbook.checksum || runbook.onChange != .rerun)
        }
        if let list = provenLists[indices] { return list }
        let list = indices.map { scope.identities[$0].identity }
        provenLists[indices] = list
        return list
    }

    mutating func add(_ entry: Entry) {
        byTenant[entry.member.tenant.id] = unsettled.count
        unsettled.append(entry)
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
