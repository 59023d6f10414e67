extension TenantSet {
    /// The members that a command is about, in their order.
    ///
    /// - Throws: each name that is no tenant's and each label that no tenant has: a slip must not pass as nothing to do.
    package func selected(by selection: Selection) throws(TenantSetError) -> TenantSet {
        let asked = Set(selection.tenants)
        let skipped = Set(selection.skippedTenants)
        let findings =
            unknown(selection.tenants, "--tenant") + unknown(selection.skippedTenants, "--skip-tenant")
            + unknownLabels(selection.match)
        guard findings.isEmpty else { throw TenantSetError(findings) }
        guard selection.narrowsTenants else { return self }
        var chosen: [UInt32] = []
        for position in 0..<count {
            let tenant = tenant(at: position)
            guard asked.isEmpty || asked.contains(tenant.id), !skipped.contains(tenant.id),
                tenant.matches(selection.match)
            else { continue }
            chosen.append(UInt32(self.chosen.map { Int($0[position]) } ?? position))
        }
        return TenantSet(roster: roster, ids: ids, resolver: resolver, chosen: chosen)
    }

    private func unknown(_ names: [String], _ flag: String) -> [TenantFinding] {
        guard !names.isEmpty else { return [] }
        return names.filter { position(of: $0) == nil }.map { name in
            .unknownTenant(name, flag, among: (0..<count).lazy.map { id(at: $0) })
        }
    }

    private func unknownLabels(_ match: [String: [String]]) -> [TenantFinding] {
        guard !match.isEmpty, count > 0 else { return [] }
        let labels = Set(["id", "schema"]).union(roster.labelNames)
        return match.keys.sorted().filter { !labels.contains($0) }.map { .unknownLabel($0, among: labels) }
    }
}
