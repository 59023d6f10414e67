import RunbookModel

/// The tenants section, and what the runbooks must know of it.
struct DecodedTenants {
    var settings: TenantSettings
    /// Whose SQL the tenants' scripts are; nil when it could not be found out.
    var dialect: SQLDialect?
    /// Columns that every tenant, or some tenant, is known to have; nil when only the source knows.
    var labels: Set<String>?
    /// Whether several tenants' rows stand in the same tables.
    var sharesTables: Bool
}

extension ManifestDecoder {
    private static let sources = ["list", "query", "files", "command"]

    func tenants(_ root: ManifestObject, ledger: SQLDialect?) -> DecodedTenants? {
        let keys = Self.sources + ["url", "target", "search_path", "settings", "isolation", "synchronous", "expect"]
        guard
            let field = root.required(
                "tenants", remedy: "say where tenants come from, as in tenants: { files: \"tenants/*.db\" }"),
            let object = field.object(keys: keys)
        else { return nil }

        let targetObject = object["target"]?.object(keys: ["url", "direct_url", "schema", "role", "pooler"])
        let target = self.target(targetObject)
        let source = self.source(object, target: targetObject, ledger: ledger)
        let settings = tenantSettings(object["settings"])
        let searchPath = self.searchPath(object["search_path"])
        let isolation = object["isolation"]?.choice(Isolation.self, noun: "isolation")
        let synchronous = object["synchronous"]?.choice(Synchronous.self, noun: "level")
        let expect = expectation(object["expect"])
        if settings.isEmpty, object["settings"] == nil {
            object["isolation"]?.warn("says nothing without settings", remedy: "leave it out")
        }
        guard let source else { return nil }

        let dialect = source.dialect ?? target.dialect ?? source.tenantDialect ?? ledger
        if dialect == .sqlite { refusePostgresOnly(object, targetObject) }
        if dialect == .postgresql {
            object.refuse(
                ["synchronous"], "is for SQLite files",
                remedy: "leave it out; in PostgreSQL a script, or its role, sets synchronous_commit")
        }
        checkColumns(object, targetObject, source)
        let mentions = source.mentionedColumns
        return DecodedTenants(
            settings: TenantSettings(
                source: source.value, target: target.template, searchPath: searchPath, settings: settings,
                isolation: isolation ?? .rowSecurity, synchronous: synchronous ?? .full, expect: expect),
            dialect: dialect, labels: source.labels,
            sharesTables: !settings.isEmpty && dialect == .postgresql && target.template.schema == nil
                && target.template.url?.revealed.contains("{") != true
                && searchPath?.contains { $0.contains("{") } != true && !mentions.contains("schema")
                && !mentions.contains("url"))
    }

    // MARK: - Target

    private func target(_ object: ManifestObject?) -> (template: TargetTemplate, dialect: SQLDialect?) {
        guard let object else { return (TargetTemplate(), nil) }
        let address = object["url"].flatMap { self.address($0, takesColumns: true) }
        let direct = directAddress(object["direct_url"], beside: address?.dialect, takesColumns: true)
        let schema = object["schema"].flatMap { self.schemaTemplate($0) }
        let role = object["role"].flatMap { self.template($0) }
        let pooler = object["pooler"]?.choice(PoolerMode.self, noun: "pooler mode")
        let template = TargetTemplate(
            url: address?.url, directURL: direct?.url, schema: schema, role: role, pooler: pooler)
        return (template, address?.dialect)
    }

    /// A schema's name as a template; one without columns is checked here, the others when tenants are known.
    private func schemaTemplate(_ field: ManifestField) -> String? {
        guard let text = template(field) else { return nil }
        guard !text.contains("{"), let problem = SchemaName.problem(text) else { return text }
        field.report(problem)
        return nil
    }

    private func searchPath(_ field: ManifestField?) -> [String]? {
        guard let field, let fields = field.list() else { return nil }
        if fields.isEmpty { field.report("is empty", remedy: "leave it out for the tenant's schema alone") }
        return fields.compactMap { schemaTemplate($0) }
    }

    private func tenantSettings(_ field: ManifestField?) -> [String: String] {
        var settings: [String: String] = [:]
        for (name, field) in field?.members() ?? [] {
            if let problem = NameRule.setting.problem(name) {
                field.report("\(name.debugDescription) is no setting name", remedy: problem)
            }
            if let template = template(field) { settings[name] = template }
        }
        return settings
    }

    private func expectation(_ field: ManifestField?) -> TenantExpectation {
        guard let object = field?.object(keys: ["min", "shrink"]) else { return TenantExpectation() }
        return TenantExpectation(
            min: object["min"]?.integer(in: 0...Int(Int32.max)), shrink: object["shrink"]?.allowance())
    }

    private func refusePostgresOnly(_ tenants: ManifestObject, _ target: ManifestObject?) {
        let message = "has no meaning for SQLite files"
        tenants.refuse(["search_path", "isolation"], message, remedy: "leave it out")
        target?.refuse(["schema", "role", "pooler"], message, remedy: "leave it out")
    }

    // MARK: - Columns

    /// Templates may only ask for columns that the tenants have, as far as the manifest can tell.
    private func checkColumns(_ tenants: ManifestObject, _ target: ManifestObject?, _ source: DecodedSource) {
        guard let columns = source.columns else { return }
        var fields = ["url", "direct_url", "schema", "role"].compactMap { target?[$0] }
        fields += (tenants["search_path"]?.list() ?? []) + (tenants["settings"]?.members() ?? []).map(\.field)
        for field in fields {
            guard case .string(let string) = field.node.value, let template = try? ColumnTemplate(string.text) else {
                continue
            }
            for column in template.columns where !columns.contains(column) {
                field.report(
                    "not every tenant has a column \"\(column)\"",
                    remedy: suggestion(for: column, among: columns.sorted()))
            }
        }
    }
}
