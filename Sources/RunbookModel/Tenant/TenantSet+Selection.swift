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
        return TenantSet(
            members: members.filter { member in
                (asked.isEmpty || asked.contains(member.tenant.id)) && !skipped.contains(member.tenant.id)
                    && member.tenant.matches(selection.match)
            })
    }

    private func unknown(_ names: [String], _ flag: String) -> [TenantFinding] {
        guard !names.isEmpty else { return [] }
        let ids = Set(members.map(\.tenant.id))
        return names.filter { !ids.contains($0) }.map { name in
            let nearest = NearestName.of(name, in: members.lazy.map(\.tenant.id))
            return TenantFinding(
                .selection, "\(flag) \(TenantID.shown(name)): there is no such tenant",
                remedy: nearest.map { "did you mean \(TenantID.shown($0))?" } ?? "muster tenants lists them")
        }
    }

    private func unknownLabels(_ match: [String: [String]]) -> [TenantFinding] {
        guard !match.isEmpty, !members.isEmpty else { return [] }
        let labels = members.reduce(into: Set(["id", "schema"])) { $0.formUnion($1.tenant.labels.keys) }
        return match.keys.sorted().filter { !labels.contains($0) }.map { label in
            TenantFinding(
                .selection, "--match \(label): no tenant has this label",
                remedy: NearestName.of(label, in: labels.sorted()).map { "did you mean \($0)?" }
                    ?? "the labels are \(labels.sorted().prefix(10).joined(separator: ", "))")
        }
    }
}
