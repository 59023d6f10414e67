/// Tenants that may be worked on: each with its target, in the order of their source, no two the same.
///
/// They are kept packed; tenant and target are made when they are asked for.
package struct TenantSet: Sendable {
    package struct Member: Sendable, Hashable {
        package var tenant: Tenant
        package var target: TenantTarget

        package init(tenant: Tenant, target: TenantTarget) {
            self.tenant = tenant
            self.target = target
        }
    }

    let roster: TenantRoster
    let ids: PositionIndex
    let resolver: TargetResolver
    /// Which of the roster, ascending; nil for all.
    let chosen: [UInt32]?

    /// Checks tenants and finds their targets.
    ///
    /// - Throws: everything that is wrong with them, not only the first thing.
    package init(_ tenants: some Sequence<Tenant>, resolver: TargetResolver) throws(TenantSetError) {
        var builder = TenantSetBuilder(resolver: resolver)
        for tenant in tenants { builder.add(tenant) }
        self = try builder.finished()
    }

    init(roster: TenantRoster, ids: PositionIndex, resolver: TargetResolver, chosen: [UInt32]? = nil) {
        self.roster = roster
        self.ids = ids
        self.resolver = resolver
        self.chosen = chosen
    }

    package var count: Int { chosen?.count ?? roster.count }

    /// Where all of them are, without asking each; nil where they may be in different places.
    package var commonURL: Redacted? { resolver.commonURL(withAddresses: roster.hasAddresses) }

    package var members: Members { Members(all: self) }

    package var tenants: Tenants { Tenants(all: self) }

    package func id(at position: Int) -> String { roster.id(at: place(position)) }

    package func tenant(at position: Int) -> Tenant { roster[place(position)] }

    package func member(at position: Int) -> Member {
        let tenant = tenant(at: position)
        do throws(TenantFinding) { return Member(tenant: tenant, target: try resolver.target(of: tenant)) } catch {
            preconditionFailure("a tenant that had a target when it was added has none: \(error)")
        }
    }

    /// Where a tenant stands; nil when it is none of these.
    package func position(of id: String) -> Int? {
        guard let place = ids.find(id.hashValue, { roster.id(at: $0) == id }) else { return nil }
        guard let chosen else { return place }
        var (low, high) = (0, chosen.count)
        while low < high {
            let middle = (low + high) / 2
            if Int(chosen[middle]) < place { low = middle + 1 } else { high = middle }
        }
        return low < chosen.count && Int(chosen[low]) == place ? low : nil
    }

    private func place(_ position: Int) -> Int { chosen.map { Int($0[position]) } ?? position }
}

extension TenantSet {
    package struct Members: RandomAccessCollection, Sendable {
        fileprivate let all: TenantSet

        package var startIndex: Int { 0 }
        package var endIndex: Int { all.count }
        package subscript(position: Int) -> Member { all.member(at: position) }
    }

    /// Without their targets.
    package struct Tenants: RandomAccessCollection, Sendable {
        fileprivate let all: TenantSet

        package var startIndex: Int { 0 }
        package var endIndex: Int { all.count }
        package subscript(position: Int) -> Tenant { all.tenant(at: position) }
    }
}
