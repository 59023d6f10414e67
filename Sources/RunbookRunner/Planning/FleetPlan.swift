import LedgerStore
import RunbookModel

/// What is to be done where: the selected runbooks in their stages, and the tenants in scope.
struct FleetPlan: Sendable {
    /// Tenants that the ledger is asked about in one statement.
    static let pageSize = 10_000

    let manifest: Manifest
    let selection: Selection
    let planner: TenantPlanner
    /// Selected runbooks, in order.
    let runbooks: [Runbook]
    let stages: [Stage]
    private let stageNumbers: [Identity: Int]
    /// Tenants in scope.
    let tenants: TenantSet
    /// Every tenant of the source, in scope or not.
    let allTenants: TenantSet
    let pageSize: Int
    /// Empty where the manifest declares none.
    let waves: [Wave]
    let course: RunCourse
    /// For each tenant in scope the number of its wave; empty where all are in one.
    private let waveNumbers: [UInt16]
    /// Set when the manifest is one of undos.
    let rollback: RollbackScope?

    init(
        manifest: Manifest, selection: Selection, all: TenantSet, tenants: TenantSet, pageSize: Int = Self.pageSize,
        rollback: RollbackScope? = nil
    ) {
        self.rollback = rollback
        self.manifest = manifest
        self.selection = selection
        planner = TenantPlanner(manifest: manifest, selection: selection)
        let selected = planner.selected
        runbooks = manifest.runbooks.filter { selected.contains($0.identity) }
        stages = Stage.cut(runbooks)
        let numbered = stages.flatMap { stage in stage.runbooks.map { ($0.identity, stage.index) } }
        stageNumbers = Dictionary(numbered, uniquingKeysWith: { first, _ in first })
        self.tenants = tenants
        allTenants = all
        self.pageSize = max(1, pageSize)
        waves = manifest.rollout.course
        course = RunCourse(waves: waves.count)
        let numbers = WaveChoice(waves, workspace: manifest.workspace, tenants: all.tenants).numbers
        waveNumbers =
            numbers.isEmpty || tenants.count == all.count
            ? numbers : (0..<tenants.count).map { numbers[all.position(of: tenants.id(at: $0)) ?? 0] }
    }

    /// The place of runbooks that run once: the ledger's database.
    var workspaceMember: TenantSet.Member { Self.workspaceMember(manifest) }

    static func workspaceMember(_ manifest: Manifest) -> TenantSet.Member {
        TenantSet.Member(
            tenant: Tenant(id: ""),
            target: TenantTarget(url: manifest.ledger.url, directURL: manifest.ledger.directURL))
    }

    var hasWorkspaceRunbooks: Bool { runbooks.contains { $0.scope == .workspace } }

    /// How many places there are: each tenant in scope, in order, then the workspace if something runs once.
    var placeCount: Int { tenants.count + (hasWorkspaceRunbooks ? 1 : 0) }

    /// The number of the workspace's place.
    var workspacePlace: Int { tenants.count }

    func member(at place: Int) -> TenantSet.Member {
        place == workspacePlace ? workspaceMember : tenants.member(at: place)
    }

    /// Empty for the workspace.
    func tenantID(at place: Int) -> String { place == workspacePlace ? "" : tenants.id(at: place) }

    /// The number of a place's wave. What runs once stands before the first.
    func wave(at place: Int) -> Int { waveNumbers.indices.contains(place) ? Int(waveNumbers[place]) : 0 }

    /// How many tenants in scope each wave has; one number where there are no waves.
    var waveSizes: [Int] {
        guard !waveNumbers.isEmpty else { return [tenants.count] }
        return waveNumbers.reduce(into: Array(repeating: 0, count: course.waves)) { $0[Int($1)] += 1 }
    }

    /// nil for a tenant that is not in scope.
    func place(of tenant: String) -> Int? { tenant.isEmpty ? workspacePlace : tenants.position(of: tenant) }

    /// What the ledger is asked about, a page at a time: tenants in scope (and the workspace, last) x every identity of
    /// the manifest, of which the selected and applicable ones count.
    var pages: FleetPages { FleetPages(self) }

    /// All pages as one.
    func scope() -> LedgerScope {
        var whole = LedgerScope(tenants: [], identities: manifest.runbooks.map(\.scoped), members: [])
        whole.isUndo = rollback != nil
        for page in pages {
            whole.tenants += page.tenants
            whole.members = page.members
        }
        return whole
    }

    /// Steps of one tenant (or the workspace) by what is on record.
    func steps(
        for member: TenantSet.Member, recorded: [Identity: RecordedExecution]
    ) -> [TenantPlanner.Step] {
        planner.steps(
            scope: member.tenant.id.isEmpty ? .workspace : .tenant, labels: member.tenant.labels, recorded: recorded,
            chosen: rollback?.chosen(in: member.tenant.id))
    }

    /// What is asked about in one place.
    func chosen(at place: Int) -> Set<Identity> { rollback?.chosen(in: tenantID(at: place)) ?? planner.selected }

    /// The stage of a selected runbook.
    func stage(of runbook: Runbook) -> Int { stageNumbers[runbook.identity] ?? 0 }

    /// The first stage after `stage` (or from it) in which these steps run something.
    func nextStage(of steps: [TenantPlanner.Step], from stage: Int) -> Int? {
        steps.lazy.filter { $0.decision == .run }.map { self.stage(of: $0.runbook) }.filter { $0 >= stage }.min()
    }
}

extension Runbook {
    var scoped: LedgerScope.ScopedIdentity {
        LedgerScope.ScopedIdentity(identity: identity, checksum: checksum, acceptsChange: onChange == .accept)
    }
}
