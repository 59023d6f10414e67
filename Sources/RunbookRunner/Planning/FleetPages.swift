import LedgerStore
import RunbookModel

/// The tenants of a plan as questions to the ledger, a page of them in each.
///
/// Who is asked about what is decided while a page passes through: this is where labels are looked at. A cohort has the
/// same number on every page.
struct FleetPages: Sequence, IteratorProtocol {
    private let plan: FleetPlan
    private let identities: [LedgerScope.ScopedIdentity]
    /// Indices of the selected runbooks of tenants.
    private let ofTenants: [Int]
    /// Whether a runbook looks at labels.
    private let isMatching: Bool
    private var cohorts: [[Int]: Int] = [:]
    private var members: [LedgerScope.Member] = []
    private var begun = 0
    /// In their order; nil for all, in the order of the source.
    private let places: [Int]?

    init(_ plan: FleetPlan, places: [Int]? = nil) {
        self.plan = plan
        self.places = places
        identities = plan.manifest.runbooks.map(\.scoped)
        let runbooks = plan.manifest.runbooks
        let selected = plan.planner.selected
        let mine = runbooks.indices.filter { selected.contains(runbooks[$0].identity) }
        ofTenants = mine.filter { runbooks[$0].scope == .tenant }
        isMatching = runbooks.contains { !$0.match.isEmpty }
        if !isMatching { members += ofTenants.map { LedgerScope.Member(cohort: Self.commonCohort, identity: $0) } }
        members += mine.filter { runbooks[$0].scope == .workspace }
            .map { LedgerScope.Member(cohort: Self.workspaceCohort, identity: $0) }
    }

    mutating func next() -> LedgerScope? {
        let count = places?.count ?? plan.placeCount
        guard begun < count else { return nil }
        var page = LedgerScope(tenants: [], identities: identities, members: [], offset: begun)
        let end = Swift.min(begun + plan.pageSize, count)
        page.tenants.reserveCapacity(end - begun)
        for index in begun..<end { page.tenants.append(scoped(places?[index] ?? index)) }
        begun = end
        page.members = members
        return page
    }

    private mutating func scoped(_ place: Int) -> LedgerScope.ScopedTenant {
        if place == plan.workspacePlace { return LedgerScope.ScopedTenant(id: "", cohort: Self.workspaceCohort) }
        guard isMatching else {
            return LedgerScope.ScopedTenant(id: plan.tenants.id(at: place), cohort: Self.commonCohort)
        }
        let tenant = plan.tenants.tenant(at: place)
        return LedgerScope.ScopedTenant(id: tenant.id, cohort: cohort(of: tenant))
    }

    /// Tenants of one cohort are alike in everything that labels decide, also in runbooks that are not selected.
    private mutating func cohort(of tenant: Tenant) -> Int {
        let runbooks = plan.manifest.runbooks
        let applying = runbooks.indices.filter {
            runbooks[$0].scope == .tenant && runbooks[$0].applies(to: tenant.labels)
        }
        if let known = cohorts[applying] { return known }
        let number = Self.workspaceCohort + 1 + cohorts.count
        cohorts[applying] = number
        let asked = Set(ofTenants)
        members += applying.filter(asked.contains).map { LedgerScope.Member(cohort: number, identity: $0) }
        return number
    }

    /// Where no runbook looks at labels, all tenants are alike.
    private static let commonCohort = 0
    private static let workspaceCohort = 1
}
