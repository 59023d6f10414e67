/// Tenants as the ledger last saw them: who they are and their labels, not where they are.
package struct SeenTenants: Sendable {
    private var tenants: [Tenant]

    package init(_ tenants: [Tenant]) { self.tenants = tenants }

    /// The ids of those that a command is about, in their order.
    ///
    /// - Throws: each name that is no tenant's and each label that no tenant has, as where a source is asked.
    package func selected(by selection: Selection) throws(TenantSetError) -> [String] {
        let ids = Set(tenants.map(\.id))
        let labels = Set(tenants.flatMap(\.labels.keys)).union(["id"])
        var findings: [TenantFinding] = []
        for (flag, names) in [("--tenant", selection.tenants), ("--skip-tenant", selection.skippedTenants)] {
            findings += names.filter { !ids.contains($0) }.map {
                .unknownTenant($0, flag, among: tenants.lazy.map(\.id))
            }
        }
        findings += selection.match.keys.sorted().filter { !labels.contains($0) }
            .map { .unknownLabel($0, among: labels) }
        guard findings.isEmpty else { throw TenantSetError(findings) }
        let asked = Set(selection.tenants)
        let skipped = Set(selection.skippedTenants)
        return tenants.filter { tenant in
            (asked.isEmpty || asked.contains(tenant.id)) && !skipped.contains(tenant.id)
                && tenant.matches(selection.match)
        }.map(\.id)
    }
}
