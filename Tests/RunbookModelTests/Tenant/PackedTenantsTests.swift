import Testing

@testable import RunbookModel

/// Tenants are kept packed: what goes in comes out.
@Suite struct PackedTenantsTests {
    private static let tenants = [
        Tenant(id: "a"), Tenant(id: "b", schema: "s", url: Redacted("postgres://h/b"), labels: ["plan": "pro"]),
        Tenant(id: "日本", labels: ["": "", "plan": "", "leer ": "é\u{301}\n\0"]),
        Tenant(id: String(repeating: "x", count: 255), labels: ["long": String(repeating: "ü", count: 20_000)]),
        Tenant(id: "e", schema: "", url: Redacted("sqlite:e.db"), labels: ["region": "eu", "plan": "free"]),
    ]

    private func resolver(_ target: TargetTemplate = TargetTemplate(url: Redacted("postgres://h/{id}"))) throws
        -> TargetResolver
    {
        try TargetResolver(
            TenantSettings(source: .list([]), target: target), ledger: LedgerSettings(url: Redacted("sqlite:l.db")))
    }

    /// Guarantee: nothing is lost, mixed up or added.
    @Test func whatGoesInComesOut() {
        var roster = TenantRoster()
        for tenant in Self.tenants { roster.append(tenant) }
        #expect(roster.count == Self.tenants.count)
        #expect((0..<roster.count).map { roster[$0] } == Self.tenants)
        #expect((0..<roster.count).map { roster.id(at: $0) } == Self.tenants.map(\.id))
        #expect(Set(roster.labelNames) == ["", "plan", "leer ", "long", "region"])
    }

    /// Guarantee: each tenant is found by its id, in the set and in what was chosen from it, and no other is.
    @Test func tenantsAreFoundByTheirIDs() throws {
        let ids = (0..<1000).map { "t\($0)" }
        let set = try TenantSet(
            ids.map { Tenant(id: $0, labels: ["odd": "\($0.utf8.last! % 2)"]) }, resolver: try resolver())
        #expect(ids.indices.allSatisfy { set.position(of: ids[$0]) == $0 })
        #expect(set.position(of: "t1000") == nil)
        let odd = try set.selected(by: Selection(match: ["odd": ["1"]]))
        #expect(odd.count == 500)
        #expect(odd.tenants.enumerated().allSatisfy { odd.position(of: $1.id) == $0 })
        #expect(odd.position(of: "t0") == nil)
        let one = try odd.selected(by: Selection(tenants: ["t7"]))
        #expect(one.tenants.map(\.id) == ["t7"])
        #expect(one.position(of: "t7") == 0)
        #expect(one.position(of: "t9") == nil)
    }

    /// Guarantee: positions whose hashes are the same are kept apart by what they are.
    @Test func equalHashesAreNotMixedUp() {
        var index = PositionIndex()
        for position in 0..<300 { index.insert(position, position % 3) }
        for position in 0..<300 {
            #expect(index.find(position % 3) { $0 == position } == position)
            #expect(index.find(position % 3 + 3) { $0 == position } == nil)
        }
    }

    /// Guarantee: ids that differ in Unicode normalisation alone are one.
    @Test func normalisationDoesNotTellApart() throws {
        let error = #expect(throws: TenantSetError.self) {
            try TenantSet([Tenant(id: "é"), Tenant(id: "e\u{301}")], resolver: try resolver())
        }
        #expect(error?.findings.map(\.rule) == [.duplicateID])
    }

    /// Guarantee: where the id decides where a tenant is, no two are in one place; else that is looked at.
    @Test(arguments: [
        (TargetTemplate(url: Redacted("postgres://h/{id}")), true),
        (TargetTemplate(url: Redacted("postgres://h/{id}{id}")), false),
        (TargetTemplate(url: Redacted("postgres://h/{plan}")), false),
        (TargetTemplate(url: Redacted("postgres://h/d"), schema: "t_{id}"), true),
        // A file has no schemas.
        (TargetTemplate(url: Redacted("sqlite:one.db"), schema: "t_{id}"), false),
        (TargetTemplate(schema: "{id}"), false),
    ])
    func theIDMayDecide(_ target: TargetTemplate, _ decides: Bool) throws {
        #expect(try resolver(target).differsByID == decides)
    }

    /// Guarantee: one place for two tenants is found, however far apart they stand.
    @Test func distantDuplicatesAreFound() throws {
        let tenants = (0..<5000).map { Tenant(id: "t\($0)", labels: ["place": "\($0 % 4999)"]) }
        let error = #expect(throws: TenantSetError.self) {
            try TenantSet(tenants, resolver: try resolver(TargetTemplate(url: Redacted("postgres://h/{place}"))))
        }
        #expect(error?.total == 1)
        #expect(error?.findings.first?.tenant == "t4999")
        #expect(error?.findings.first?.message.contains("\"t0\"") == true)
    }
}
