/// Takes tenants in one by one, as their source gives them, and makes the set of them.
package struct TenantSetBuilder {
    private var roster = TenantRoster()
    private var ids = PositionIndex()
    private var places = PositionIndex()
    private var findings: [TenantFinding] = []
    private var findingCount = 0
    private let resolver: TargetResolver

    package init(resolver: TargetResolver) {
        self.resolver = resolver
    }

    /// How many were taken in without a finding.
    package var count: Int { roster.count }

    package mutating func add(_ tenant: Tenant) {
        do throws(TenantFinding) { try take(tenant) } catch {
            findingCount += 1
            if findings.count < TenantSetError.limit { findings.append(error) }
        }
    }

    /// - Throws: what was found, of which the first findings are kept.
    package consuming func finished() throws(TenantSetError) -> TenantSet {
        guard findings.isEmpty else { throw TenantSetError(findings, total: findingCount) }
        return TenantSet(roster: roster, ids: ids, resolver: resolver)
    }

    private mutating func take(_ tenant: Tenant) throws(TenantFinding) {
        let id = tenant.id
        if let problem = TenantID.problem(id) {
            throw TenantFinding(.id, tenant: id, problem, remedy: "use 1 to 255 bytes of printable text")
        }
        // Ids that differ in Unicode normalisation alone are one here, and would be told apart nowhere but in a database.
        guard ids.find(id.hashValue, { roster.id(at: $0) == id }) == nil else {
            throw TenantFinding(
                .duplicateID, tenant: id, "the source gives this id more than once",
                remedy: "let each tenant appear once")
        }
        let position = roster.count
        ids.insert(position, id.hashValue)
        // Also when its target is found wanting: the next one of this name is one too many.
        roster.append(tenant)
        let target = try resolver.target(of: tenant)
        // Where the id alone decides, ids that differ are proof enough.
        guard !resolver.differsByID else { return }
        let place = Place(target)
        if let other = places.find(place.hashValue, { self.place(at: $0) == place }) {
            throw TenantFinding(
                .duplicateTarget, tenant: id, "it has the same target as \(TenantID.shown(roster.id(at: other)))",
                remedy: "give each a database, a schema or settings of its own")
        }
        places.insert(position, place.hashValue)
    }

    private func place(at position: Int) -> Place? {
        do throws(TenantFinding) { return Place(try resolver.target(of: roster[position])) } catch { return nil }
    }

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
