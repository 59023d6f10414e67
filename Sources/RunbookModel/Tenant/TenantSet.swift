/// Tenants that may be worked on: each with its target, in the order of their source, no two the same.
package struct TenantSet: Sendable {
    package struct Member: Sendable, Hashable {
        package var tenant: Tenant
        package var target: TenantTarget

        package init(tenant: Tenant, target: TenantTarget) {
            self.tenant = tenant
            self.target = target
        }
    }

    package let members: [Member]

    /// Checks tenants and finds their targets.
    ///
    /// - Throws: everything that is wrong with them, not only the first thing.
    package init(_ tenants: [Tenant], resolver: TargetResolver) throws(TenantSetError) {
        var members: [Member] = []
        members.reserveCapacity(tenants.count)
        var findings: [TenantFinding] = []
        // Ids that differ in Unicode normalisation alone are one here, and would be told apart nowhere but in a database.
        var ids: Set<String> = []
        var places: [Place: String] = [:]
        for tenant in tenants {
            if let problem = TenantID.problem(tenant.id) {
                findings.append(
                    TenantFinding(.id, tenant: tenant.id, problem, remedy: "use 1 to 255 bytes of printable text"))
                continue
            }
            guard ids.insert(tenant.id).inserted else {
                findings.append(
                    TenantFinding(
                        .duplicateID, tenant: tenant.id, "the source gives this id more than once",
                        remedy: "let each tenant appear once"))
                continue
            }
            do throws(TenantFinding) {
                let target = try resolver.target(of: tenant)
                if let other = places.updateValue(tenant.id, forKey: Place(target)) {
                    throw TenantFinding(
                        .duplicateTarget, tenant: tenant.id, "it has the same target as \(TenantID.shown(other))",
                        remedy: "give each a database, a schema or settings of its own")
                }
                members.append(Member(tenant: tenant, target: target))
            } catch {
                findings.append(error)
            }
        }
        guard findings.isEmpty else { throw TenantSetError(findings) }
        self.members = members
    }

    init(members: [Member]) { self.members = members }

    /// What tells targets apart.
    private struct Place: Hashable {
        var url: String
        var schema: String?
        var settings: [TenantTarget.Setting]

        init(_ target: TenantTarget) {
            url = target.url.revealed
            schema = target.schema
            settings = target.settings
        }
    }
}
