import RunbookModel
import Testing

struct TargetResolverTests {
    private let ledger = LedgerSettings(
        url: Redacted("postgres://ledger/db"), directURL: Redacted("postgres://direct/db"))

    private func target(
        _ tenant: Tenant, _ template: TargetTemplate = TargetTemplate(), searchPath: [String]? = nil,
        settings: [String: String] = [:], source: TenantSource = .list([])
    ) throws -> TenantTarget {
        let settings = TenantSettings(source: source, target: template, searchPath: searchPath, settings: settings)
        return try TargetResolver(settings, ledger: ledger).target(of: tenant)
    }

    @Test("without templates the ledger's database is the target, with its direct address")
    func ledgerIsTheFallback() throws {
        let target = try target(Tenant(id: "acme"))
        #expect(target.url.revealed == "postgres://ledger/db")
        #expect(target.directURL?.revealed == "postgres://direct/db")
        #expect(target.schema == nil && target.searchPath == nil && target.role == nil)
        #expect(target.holdsOneTenant)
    }

    @Test("the template's address comes before the tenant's own, and that before the ledger's")
    func addressOrder() throws {
        let tenant = Tenant(id: "acme", url: Redacted("postgres://own/db"))
        #expect(try target(tenant).url.revealed == "postgres://own/db")
        #expect(try target(tenant).directURL == nil)
        let template = TargetTemplate(
            url: Redacted("postgres://h/{id}"), directURL: Redacted("postgres://d/{id}"))
        #expect(try target(tenant, template).url.revealed == "postgres://h/acme")
        #expect(try target(tenant, template).directURL?.revealed == "postgres://d/acme")
    }

    @Test("values in an address are percent-encoded; a column at its start is an address itself")
    func addressesAreEncoded() throws {
        let tenant = Tenant(
            id: "a/b?c@d é:%{id}", url: Redacted("postgres://u:p@h/x"), labels: ["host": "h1"])
        let encoded = try target(tenant, TargetTemplate(url: Redacted("postgres://{host}/t_{id}?x=1")))
        #expect(encoded.url.revealed == "postgres://h1/t_a%2Fb%3Fc%40d%20%C3%A9%3A%25%7Bid%7D?x=1")
        let own = try target(tenant, TargetTemplate(url: Redacted("{url}?sslmode=require")))
        #expect(own.url.revealed == "postgres://u:p@h/x?sslmode=require")
    }

    @Test("a value cannot lead a SQLite path into another folder", arguments: ["../x", "..", ".", "a/b", "/etc/x"])
    func sqlitePathsStayInside(id: String) throws {
        let error = #expect(throws: TenantFinding.self) {
            try target(Tenant(id: id), TargetTemplate(url: Redacted("sqlite:/data/{id}/t.db")))
        }
        #expect(error?.rule == .value)
        #expect(error?.tenant == id)
    }

    @Test("names and settings are filled in as they are, never read again")
    func valuesAreNotReadAgain() throws {
        let tenant = Tenant(id: "x'; drop \"y\" {schema}", schema: "s{id}", labels: ["plan": "p"])
        let target = try target(
            tenant, TargetTemplate(schema: "app_{schema}", role: "r_{plan}"), searchPath: ["{schema}", "public"],
            settings: ["b.id": "{id}", "a.plan": "{plan}-{plan}"])
        #expect(target.schema == "app_s{id}")
        #expect(target.role == "r_p")
        #expect(target.searchPath == ["s{id}", "public"])
        #expect(
            target.settings == [.init(name: "a.plan", value: "p-p"), .init(name: "b.id", value: tenant.id)])
        #expect(!target.holdsOneTenant)
    }

    @Test("a tenant's schema column is its schema when no template says otherwise, and then its search path")
    func schemaColumn() throws {
        let target = try target(Tenant(id: "acme", schema: "acme_s"))
        #expect(target.schema == "acme_s")
        #expect(target.searchPath == ["acme_s"])
        #expect(!target.holdsOneTenant)
    }

    @Test("settings tell tenants of one database apart")
    func settingsShareADatabase() throws {
        let target = try target(Tenant(id: "acme"), settings: ["app.tenant_id": "{id}"])
        #expect(!target.holdsOneTenant)
        #expect(target.searchPath == nil)
    }

    @Test("a file is one tenant, whatever settings its scripts get, and has no schema")
    func filesHoldOneTenant() throws {
        let tenant = Tenant(id: "acme", schema: "s", url: Redacted("sqlite:/data/acme.db"))
        let target = try target(tenant, settings: ["app.id": "{id}"], source: .files(pattern: "*"))
        #expect(target.url.revealed == "sqlite:/data/acme.db")
        #expect(target.holdsOneTenant)
        #expect(target.schema == nil && target.searchPath == nil)
        #expect(target.settings == [.init(name: "app.id", value: "acme")])
    }

    @Test("a label that no template could ask for is not offered as the nearest")
    func oddLabelsAreNotOffered() throws {
        let tenant = Tenant(id: "a", labels: ["plan\n": "x", "pl{an": "y"])
        let error = try #require(throws: TenantFinding.self) { try target(tenant, TargetTemplate(role: "{plan}")) }
        #expect(error.remedy == "let the source give it a value")
    }

    @Test("a column that a tenant does not have is an error with the tenant, the column and the nearest name")
    func unknownColumns() throws {
        let tenant = Tenant(id: "acme", labels: ["region": "eu"])
        for template in [
            TargetTemplate(url: Redacted("postgres://h/{regoin}")), TargetTemplate(schema: "{regoin}"),
            TargetTemplate(role: "{regoin}"), TargetTemplate(directURL: Redacted("postgres://h/{regoin}")),
        ] {
            let error = #expect(throws: TenantFinding.self) { try target(tenant, template) }
            #expect(error?.rule == .column)
            #expect(error?.tenant == "acme")
            #expect(error?.message.contains("{regoin}") == true)
            #expect(error?.remedy.contains("{region}") == true)
        }
        #expect(throws: TenantFinding.self) { try target(tenant, settings: ["a.b": "{schema}"]) }
        #expect(throws: TenantFinding.self) { try target(tenant, searchPath: ["{schema}"]) }
    }

    @Test(
        "a schema that PostgreSQL would cut, refuse or resolve elsewhere is refused",
        arguments: ["", "$user", "pg_temp", "pg_", String(repeating: "x", count: 64), "a\0b"])
    func badSchemas(name: String) {
        let error = #expect(throws: TenantFinding.self) { try target(Tenant(id: "acme", schema: name)) }
        #expect(error?.rule == .schema)
        #expect(error?.tenant == "acme")
    }

    @Test("a schema of 63 bytes passes, one of 63 characters in 64 bytes does not")
    func schemaBytes() throws {
        #expect(try target(Tenant(id: "a", schema: String(repeating: "x", count: 63))).schema?.utf8.count == 63)
        #expect(throws: TenantFinding.self) {
            try target(Tenant(id: "a", schema: String(repeating: "x", count: 62) + "é"))
        }
    }

    @Test("a search path and a role that cannot be names are refused; PostgreSQL's own schemas may stand on the path")
    func badPathsAndRoles() throws {
        let tenant = Tenant(id: "acme", schema: "s", labels: ["empty": "", "nul": "a\0"])
        #expect(try target(tenant, searchPath: ["pg_catalog", "{schema}"]).searchPath == ["pg_catalog", "s"])
        #expect(throws: TenantFinding.self) { try target(tenant, searchPath: ["$user"]) }
        #expect(throws: TenantFinding.self) { try target(tenant, searchPath: ["{empty}"]) }
        #expect(throws: TenantFinding.self) { try target(tenant, TargetTemplate(role: "{empty}")) }
        #expect(throws: TenantFinding.self) { try target(tenant, settings: ["a.b": "{nul}"]) }
    }
}
