import LedgerStore
import RunbookModel

/// What is to be done where: the selected runbooks in their stages, the tenants in scope, and what each still needs.
struct FleetPlan: Sendable {
    let manifest: Manifest
    let selection: Selection
    let planner: TenantPlanner
    /// Selected runbooks, in order.
    let runbooks: [Runbook]
    let stages: [Stage]
    /// Tenants in scope.
    let members: [TenantSet.Member]
    /// Every tenant of the source, in scope or not.
    let allTenants: [Tenant]
    private let positions: [String: Int]
    /// Indices of the manifest's runbooks that look at labels.
    private let matching: [Int]

    init(manifest: Manifest, selection: Selection, all: [Tenant], members: [TenantSet.Member]) {
        self.manifest = manifest
        self.selection = selection
        planner = TenantPlanner(manifest: manifest, selection: selection)
        let selected = planner.selected
        runbooks = manifest.runbooks.filter { selected.contains($0.identity) }
        stages = Stage.cut(runbooks)
        self.members = members
        allTenants = all
        matching = manifest.runbooks.indices.filter { !manifest.runbooks[$0].match.isEmpty }
        positions = Dictionary(members.indices.map { (members[$0].tenant.id, $0) }, uniquingKeysWith: { $1 })
    }

    func member(_ tenant: String) -> TenantSet.Member? {
        tenant.isEmpty ? workspaceMember : positions[tenant].map { members[$0] }
    }

    /// The place of runbooks that run once: the ledger's database.
    var workspaceMember: TenantSet.Member { Self.workspaceMember(manifest) }

    static func workspaceMember(_ manifest: Manifest) -> TenantSet.Member {
        TenantSet.Member(
            tenant: Tenant(id: ""),
            target: TenantTarget(url: manifest.ledger.url, directURL: manifest.ledger.directURL))
    }

    var hasWorkspaceRunbooks: Bool { runbooks.contains { $0.scope == .workspace } }

    /// What the ledger is asked about: tenants in scope (and the workspace, last) x every identity of the manifest, of
    /// which the selected and applicable ones count.
    func scope() -> LedgerScope {
        var cohorts: [[Int]: Int] = [:]
        var members: [LedgerScope.Member] = []
        func cohort(_ identities: [Int]) -> Int {
            if let known = cohorts[identities] { return known }
            let number = cohorts.count
            cohorts[identities] = number
            members += identities.map { LedgerScope.Member(cohort: number, identity: $0) }
            return number
        }
        let selected = planner.selected
        let mine = manifest.runbooks.indices.filter { selected.contains(manifest.runbooks[$0].identity) }
        let ofTenants = mine.filter { manifest.runbooks[$0].scope == .tenant }
        let matched = ofTenants.filter { !manifest.runbooks[$0].match.isEmpty }
        let common = cohort(ofTenants)
        var tenants = self.members.map { member in
            guard !matched.isEmpty else { return LedgerScope.ScopedTenant(id: member.tenant.id, cohort: common) }
            let applying = ofTenants.filter { manifest.runbooks[$0].applies(to: member.tenant.labels) }
            return LedgerScope.ScopedTenant(id: member.tenant.id, cohort: cohort(applying))
        }
        let ofWorkspace = mine.filter { manifest.runbooks[$0].scope == .workspace }
        if !ofWorkspace.isEmpty {
            tenants.append(LedgerScope.ScopedTenant(id: "", cohort: cohort(ofWorkspace)))
        }
        return LedgerScope(
            tenants: tenants,
            identities: manifest.runbooks.map {
                LedgerScope.ScopedIdentity(
                    identity: $0.identity, checksum: $0.checksum, acceptsChange: $0.onChange == .accept)
            }, members: members)
    }

    /// Which of the runbooks that look at labels apply to a tenant.
    func applying(to tenant: Tenant) -> [Int] {
        matching.filter { manifest.runbooks[$0].applies(to: tenant.labels) }
    }

    /// Steps of one tenant (or the workspace) by what is on record.
    func steps(
        for member: TenantSet.Member, recorded: [Identity: RecordedExecution]
    ) -> [TenantPlanner.Step] {
        planner.steps(
            scope: member.tenant.id.isEmpty ? .workspace : .tenant, labels: member.tenant.labels, recorded: recorded)
    }

    /// The stage of a selected runbook.
    func stage(of runbook: Runbook) -> Int {
        stages.first { $0.runbooks.contains { $0.identity == runbook.identity } }?.index ?? 0
    }

    /// The first stage after `stage` (or from it) in which these steps run something.
    func nextStage(of steps: [TenantPlanner.Step], from stage: Int) -> Int? {
        steps.lazy.filter { $0.decision == .run }.map { self.stage(of: $0.runbook) }.filter { $0 >= stage }.min()
    }
}
