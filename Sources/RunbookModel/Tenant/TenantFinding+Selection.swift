/// Slips in what a command is to be about.
extension TenantFinding {
    static func unknownTenant(_ name: String, _ flag: String, among ids: some Sequence<String>) -> TenantFinding {
        let nearest = NearestName.of(name, in: ids)
        return TenantFinding(
            .selection, "\(flag) \(TenantID.shown(name)): there is no such tenant",
            remedy: nearest.map { "did you mean \(TenantID.shown($0))?" } ?? "muster tenants lists them")
    }

    static func unknownLabel(_ label: String, among labels: Set<String>) -> TenantFinding {
        TenantFinding(
            .selection, "--match \(label): no tenant has this label",
            remedy: NearestName.of(label, in: labels.sorted()).map { "did you mean \($0)?" }
                ?? "the labels are \(labels.sorted().prefix(10).joined(separator: ", "))")
    }
}
