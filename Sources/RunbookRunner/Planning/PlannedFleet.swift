import LedgerStore
import RunbookModel

/// A plan after the ledger was asked: what each place still needs.
///
/// Most tenants are alike: what is judged once is shared, and a tenant is a number.
struct PlannedFleet: Sendable {
    /// What is to be done in a place, and how many places it is the same for.
    struct Outlook: Sendable {
        var steps: [TenantPlanner.Step]
        /// What the ledger holds as succeeded there, and what a change of the body does not run again.
        var proven: [Identity]
        /// The set that the finished work there is in, 0 for none, and which of the identities are in it.
        var set = 0
        var sealed: Set<Identity> = []
        /// Tenants, and the workspace, that it is for.
        var count = 0
        /// The first of them.
        var place = 0
        var isOfWorkspace = false

        var isSettled: Bool { steps.allSatisfy { $0.decision == .done || $0.decision == .notApplicable } }

        func has(_ decision: PlanDecision) -> Bool { steps.contains { $0.decision == decision } }
    }

    let plan: FleetPlan
    /// Those in which something is undone, in the order in which they were met.
    private(set) var outlooks: [Outlook] = []
    /// Whether the run that this would be is open; asked only where there is nothing to do.
    var hasOpenRun = false
    /// What the ledger knows and the manifest does not list.
    var unlisted: [String] = []
    /// For each place the index of its outlook, or that nothing is undone. Empty while nothing is undone anywhere.
    private var outlookOf: [Int32] = []
    private var known: [Likeness: Int32] = [:]
    /// How many tenants each identity of the manifest applies to, by index, of those that were asked about.
    private var applying: [Int]

    private static let settled: Int32 = -1

    /// What places have in common that are judged alike.
    private struct Likeness: Hashable {
        var cohort: Int
        var set: Int
        var own: String?
    }

    init(plan: FleetPlan) {
        self.plan = plan
        applying = Array(repeating: 0, count: plan.manifest.runbooks.count)
    }

    /// Takes in which identities a page's tenants are asked about.
    mutating func count(_ page: LedgerScope) {
        var sizes: [Int: Int] = [:]
        for tenant in page.tenants { sizes[tenant.cohort, default: 0] += 1 }
        for member in page.members { applying[member.identity] += sizes[member.cohort] ?? 0 }
    }

    /// Adds a place of a page if, by what is on record, something is undone there.
    mutating func add(
        _ index: Int, of page: LedgerScope, _ records: TenantRecords, ofWorkspace: [Identity: RecordedExecution]
    ) {
        let place = page.offset + index
        let likeness = Likeness(cohort: page.tenants[index].cohort, set: records.set, own: records.own)
        let number = known[likeness] ?? judge(place, records, ofWorkspace)
        known[likeness] = number
        guard number != Self.settled else { return }
        set(number, at: place)
    }

    private mutating func judge(
        _ place: Int, _ records: TenantRecords, _ ofWorkspace: [Identity: RecordedExecution]
    ) -> Int32 {
        let recorded = records.executions
        let identities = Dictionary(
            recorded.map { (plan.manifest.runbooks[$0.key].identity, $0.value) }, uniquingKeysWith: { $1 }
        ).merging(ofWorkspace) { $1 }
        var outlook = Outlook(
            steps: plan.steps(for: plan.member(at: place), recorded: identities), proven: proven(recorded, at: place))
        guard !outlook.isSettled else { return Self.settled }
        outlook.set = records.set
        outlook.sealed = Set(recorded.filter { $0.value.state.isDone }.map { plan.manifest.runbooks[$0.key].identity })
        outlook.place = place
        outlook.isOfWorkspace = place == plan.workspacePlace
        outlooks.append(outlook)
        return Int32(outlooks.count - 1)
    }

    private mutating func set(_ number: Int32, at place: Int) {
        if outlookOf.isEmpty { outlookOf = Array(repeating: Self.settled, count: plan.placeCount) }
        if outlookOf[place] != Self.settled { outlooks[Int(outlookOf[place])].count -= 1 }
        outlookOf[place] = number
        outlooks[Int(number)].count += 1
    }

    /// What of a tenant's records its own receipts must show, by index into the manifest's runbooks.
    private func proven(_ recorded: [Int: RecordedExecution], at place: Int) -> [Identity] {
        recorded.keys.sorted().filter { index in
            guard let record = recorded[index], record.state == .succeeded else { return false }
            let runbook = plan.manifest.runbooks[index]
            // What is undone here looks at its own receipt, which may be ahead of the ledger.
            if plan.rollback != nil, plan.chosen(at: place).contains(runbook.identity) { return false }
            return runbook.scope == .tenant && (record.checksum == runbook.checksum || runbook.onChange != .rerun)
        }.map { plan.manifest.runbooks[$0].identity }
    }

    /// Turns a step of the workspace that would run into a blocked one.
    mutating func blockWorkspace(
        _ identity: Identity, reason: String, refusal: TenantPlanner.UndoRefusal? = nil
    ) {
        guard let number = number(at: plan.workspacePlace),
            let step = outlooks[number].steps.firstIndex(where: { $0.runbook.identity == identity }),
            outlooks[number].steps[step].decision == .run
        else { return }
        outlooks[number].steps[step].decision = .blocked
        outlooks[number].steps[step].reason = reason
        outlooks[number].steps[step].refusal = refusal
    }

    // MARK: Answers

    /// The index of a place's outlook; nil where nothing is undone.
    func number(at place: Int) -> Int? {
        guard outlookOf.indices.contains(place), outlookOf[place] != Self.settled else { return nil }
        return Int(outlookOf[place])
    }

    func outlook(at place: Int) -> Outlook? { number(at: place).map { outlooks[$0] } }

    /// Places in which something is undone, in order, each with its outlook's index.
    var unsettled: some Sequence<(place: Int, outlook: Int)> {
        outlookOf.indices.lazy.compactMap { place in number(at: place).map { (place, $0) } }
    }

    var unsettledCount: Int { outlooks.reduce(0) { $0 + $1.count } }

    /// Whether tenants with something to do are in other PostgreSQL databases than the ledger's, as their addresses say.
    var livesElsewhere: Bool {
        let settings = plan.manifest.ledger
        let own = [settings.url, settings.directURL].compactMap(\.?.revealed)
        return outlooks.contains { outlook in
            let url = plan.member(at: outlook.place).target.url.revealed
            return !outlook.isOfWorkspace && !url.hasPrefix("sqlite:") && !own.contains(url)
        }
    }

    /// How many tenants in scope are done.
    var settledCount: Int { plan.tenants.count - outlooks.reduce(0) { $0 + ($1.isOfWorkspace ? 0 : $1.count) } }

    /// How many tenants in scope a runbook is for; one for the workspace's own.
    func countApplying(_ runbook: Runbook) -> Int {
        guard runbook.scope == .tenant else { return 1 }
        let index = plan.manifest.runbooks.firstIndex { $0.identity == runbook.identity }
        return index.map { applying[$0] } ?? 0
    }

    /// How many executions of each identity have a decision, where something is undone.
    func counts(_ isCounted: (PlanDecision) -> Bool) -> [Identity: Int] {
        var counts: [Identity: Int] = [:]
        for outlook in outlooks {
            for step in outlook.steps where isCounted(step.decision) {
                counts[step.runbook.identity, default: 0] += outlook.count
            }
        }
        return counts
    }

    var hasDrifted: Bool { outlooks.contains { $0.has(.drifted) } }

    var hasWork: Bool { outlooks.contains { $0.has(.run) } }
}
