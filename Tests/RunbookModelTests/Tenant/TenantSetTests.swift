import RunbookModel
import Testing

struct TenantSetTests {
    private func set(
        _ tenants: [Tenant], _ template: TargetTemplate = TargetTemplate(schema: "{id}"),
        settings: [String: String] = [:]
    ) throws -> TenantSet {
        let settings = TenantSettings(source: .list(tenants), target: template, settings: settings)
        let ledger = LedgerSettings(url: Redacted("postgres://h/db"))
        return try TenantSet(tenants, resolver: try TargetResolver(settings, ledger: ledger))
    }

    private func findings(_ body: () throws -> TenantSet) -> [TenantFinding] {
        do {
            _ = try body()
            return []
        } catch let error as TenantSetError {
            return error.findings
        } catch {
            Issue.record("another error: \(error)")
            return []
        }
    }

    @Test("tenants keep the order of their source")
    func keepsOrder() throws {
        #expect(try set(["c", "a", "b"].map { Tenant(id: $0) }).members.map(\.tenant.id) == ["c", "a", "b"])
        #expect(try set([]).members.isEmpty)
    }

    @Test("an id that appears again is refused, also in another Unicode normalisation")
    func duplicateIDs() {
        let ids = ["a", "b", "a", "\u{e9}", "e\u{301}", "a"]
        let found = findings { try set(ids.map { Tenant(id: $0) }) }
        #expect(found.map(\.rule) == [.duplicateID, .duplicateID, .duplicateID])
        #expect(found.map(\.tenant) == ["a", "e\u{301}", "a"])
    }

    @Test("two tenants with one target are refused, and both are named")
    func duplicateTargets() {
        let tenants = [Tenant(id: "a", schema: "s"), Tenant(id: "b", schema: "t"), Tenant(id: "c", schema: "s")]
        let found = findings { try set(tenants, TargetTemplate()) }
        #expect(found.map(\.rule) == [.duplicateTarget])
        #expect(found.first?.tenant == "c")
        #expect(found.first?.message.contains("\"a\"") == true)
    }

    @Test("the same schema elsewhere, and other settings in the same place, are other targets")
    func differentTargets() throws {
        let tenants = [Tenant(id: "a", schema: "s"), Tenant(id: "b", schema: "s")]
        #expect(try set(tenants, TargetTemplate(url: Redacted("postgres://h/{id}"))).members.count == 2)
        #expect(try set(tenants, TargetTemplate(), settings: ["app.id": "{id}"]).members.count == 2)
        #expect(findings { try set(tenants, TargetTemplate(), settings: ["app.id": "{schema}"]) }.count == 1)
    }

    @Test(
        "an id that would break a log line or a ledger row is refused",
        arguments: [
            "", "a\nb", "a\0", "\t", "a\u{7f}", "a\u{85}b", "a\u{2028}b", String(repeating: "é", count: 128), "\r\n",
        ])
    func badIDs(id: String) {
        let found = findings { try set([Tenant(id: id)], TargetTemplate()) }
        #expect(found.map(\.rule) == [.id])
        #expect(found.first?.description.contains { $0.isNewline } == false)
    }

    @Test(
        "hostile but printable ids pass",
        arguments: ["a'b", "a\";--", "日本", "a b", "../x", "😀", String(repeating: "x", count: 255), "$user", "{id}"])
    func hostileIDsPass(id: String) throws {
        #expect(try set([Tenant(id: id)], TargetTemplate()).members.map(\.tenant.id) == [id])
    }

    @Test("all findings are counted, the first twenty are shown")
    func limitsFindings() throws {
        let tenants = (0..<30).map { Tenant(id: "t\($0)", schema: "pg_\($0)") }
        let error = try #require(throws: TenantSetError.self) { try set(tenants, TargetTemplate()) }
        #expect(error.findings.count == 20)
        #expect(error.total == 30)
        #expect(error.description.hasSuffix("\nand 10 more"))
        #expect(error.description.contains("tenant \"t0\": "))
    }

    // MARK: Selection

    private func selected(_ selection: Selection) throws -> [String] {
        let tenants = [
            Tenant(id: "acme", labels: ["plan": "pro", "region": "eu"]),
            Tenant(id: "beta", labels: ["plan": "free", "region": "us"]),
            Tenant(id: "gamma", labels: ["plan": "pro"]),
        ]
        return try set(tenants).selected(by: selection).members.map(\.tenant.id)
    }

    @Test("a selection keeps what it names, in the source's order")
    func selections() throws {
        #expect(try selected(Selection()) == ["acme", "beta", "gamma"])
        #expect(try selected(Selection(tenants: ["gamma", "acme"])) == ["acme", "gamma"])
        #expect(try selected(Selection(skippedTenants: ["beta"])) == ["acme", "gamma"])
        #expect(try selected(Selection(tenants: ["acme", "beta"], skippedTenants: ["beta"])) == ["acme"])
        #expect(try selected(Selection(match: ["plan": ["pro"]])) == ["acme", "gamma"])
        #expect(
            try selected(Selection(match: ["plan": ["pro", "free"], "region": ["us", "eu"]])) == ["acme", "beta"])
        #expect(try selected(Selection(match: ["region": ["mars"]])).isEmpty)
        #expect(try selected(Selection(match: ["id": ["beta"]])) == ["beta"])
    }

    @Test("unknown names in a selection are errors with the nearest name")
    func unknownNames() throws {
        let selection = Selection(
            tenants: ["acne", "beta"], match: ["plam": ["pro"]], skippedTenants: ["zzzzzzzzz"])
        let error = try #require(throws: TenantSetError.self) { try selected(selection) }
        #expect(error.findings.map(\.rule) == [.selection, .selection, .selection])
        #expect(error.findings[0].message.contains("--tenant \"acne\""))
        #expect(error.findings[0].remedy.contains("\"acme\""))
        #expect(error.findings[1].message.contains("--skip-tenant"))
        #expect(error.findings[2].remedy.contains("plan"))
    }
}
