/// Why a set of tenants is refused: the first findings, and how many there are.
package struct TenantSetError: Error, Sendable, Hashable {
    package static let limit = 20

    /// At least one, at most `limit`.
    package var findings: [TenantFinding]
    package var total: Int

    package init(_ findings: [TenantFinding]) {
        self.findings = Array(findings.prefix(Self.limit))
        total = findings.count
    }

    /// - Parameter total: how many there are; `findings` may be the first of them.
    init(_ findings: [TenantFinding], total: Int) {
        self.findings = Array(findings.prefix(Self.limit))
        self.total = total
    }
}

extension TenantSetError: CustomStringConvertible {
    /// One line for each finding.
    package var description: String {
        let more = total > findings.count ? ["and \(total - findings.count) more"] : []
        return (findings.map(\.description) + more).joined(separator: "\n")
    }
}
