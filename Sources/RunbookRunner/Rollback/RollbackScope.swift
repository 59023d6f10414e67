import RunbookModel

/// What a rollback is about, beside its manifest of undos.
struct RollbackScope: Sendable {
    /// The manifest's own runbooks, for what the ledger remembers of it.
    var declared: [Runbook]
    /// The run that is taken back; nil when runbooks were named.
    var run: String?
    /// What that run did, a set for all tenants that are alike in it.
    var sets: [Set<Identity>] = []
    /// The set of each tenant (an empty name is the workspace) in which that run did anything.
    var setOf: [String: Int] = [:]
    var takesBaselined = false

    /// What is to be undone in one place; nil where it is the same everywhere. What runs once is judged by everyone, since
    /// tenants' runbooks may stand before it.
    func chosen(in tenant: String) -> Set<Identity>? {
        guard run != nil else { return nil }
        let once = tenant.isEmpty ? [] : set(of: "")
        return set(of: tenant).union(once)
    }

    private func set(of tenant: String) -> Set<Identity> { setOf[tenant].map { sets[$0] } ?? [] }
}
