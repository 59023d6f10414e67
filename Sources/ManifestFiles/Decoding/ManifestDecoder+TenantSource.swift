import RunbookModel

/// Where tenants come from, and what can be known of them without asking.
struct DecodedSource {
    var value: TenantSource
    /// The engine of every tenant, whatever else is said.
    var dialect: SQLDialect?
    /// The engine of the tenants' own addresses.
    var tenantDialect: SQLDialect?
    /// What every tenant has; nil when only the source knows.
    var columns: Set<String>?
    /// What some tenant has; nil when only the source knows.
    var labels: Set<String>?
    /// `schema` and `url`, when tenants seem to have them.
    var mentionedColumns: Set<String> = []
}

extension ManifestDecoder {
    func source(_ tenants: ManifestObject, target: ManifestObject?, ledger: SQLDialect?) -> DecodedSource? {
        let given = ["list", "query", "files", "command"].filter { tenants[$0] != nil }
        guard let kind = given.first, let field = tenants[kind] else {
            tenants.field.report("names no source", remedy: "give one of list, query, files, command")
            return nil
        }
        for other in given.dropFirst() {
            tenants[other]?.report("a second source beside \"\(kind)\"", remedy: "keep one")
        }
        if kind != "query" {
            tenants.refuse(["url"], "belongs to a query", remedy: "a tenant's own address is target.url")
        }
        switch kind {
        case "list": return list(field)
        case "query": return query(field, url: tenants["url"], ledger: ledger)
        case "files":
            target?.refuse(["url", "direct_url"], "each file is a tenant's target itself", remedy: "leave it out")
            return field.line().map {
                DecodedSource(value: .files(pattern: $0), dialect: .sqlite, columns: ["id"], labels: ["id"])
            }
        default:
            return command(field).map { DecodedSource(value: .command($0.arguments)) }
        }
    }

    private func query(_ field: ManifestField, url: ManifestField?, ledger: SQLDialect?) -> DecodedSource? {
        let address = url.flatMap { self.address($0) }
        guard let text = field.text() else { return nil }
        let dialect = url == nil ? ledger : address?.dialect
        if let dialect {
            let (script, findings) = SQLLexer.script(path: "", text: text, dialect: dialect, transactional: true)
            if script.statements.isEmpty, findings.count <= 1 {
                field.report("holds no statement", remedy: "write one query")
            } else {
                for finding in findings { field.report(finding.message, remedy: finding.remedy) }
            }
            if script.statements.count > 1 {
                field.report("holds \(script.statements.count) statements", remedy: "keep one query")
            }
        }
        let words = text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "_") }
        return DecodedSource(
            value: .query(sql: text, url: address?.url),
            mentionedColumns: Set(words.map(String.init)).intersection(["schema", "url"]))
    }

    // MARK: - List

    private func list(_ field: ManifestField) -> DecodedSource? {
        guard let fields = field.list() else { return nil }
        var tenants: [Tenant] = []
        var paths: [String: String] = [:]
        var dialects: [SQLDialect] = []
        for field in fields {
            guard let (tenant, dialect) = tenant(field) else { continue }
            if let first = paths[tenant.id] {
                field.report("the tenant \(tenant.id.debugDescription) is here twice", remedy: "the first is \(first)")
                continue
            }
            paths[tenant.id] = field.path
            tenants.append(tenant)
            if let dialect { dialects.append(dialect) }
        }
        let columns = tenants.map(\.columnNames)
        return DecodedSource(
            value: .list(tenants), tenantDialect: dialects.first,
            columns: columns.isEmpty ? nil : columns.dropFirst().reduce(columns[0]) { $0.intersection($1) },
            labels: columns.isEmpty ? nil : columns.reduce([]) { $0.union($1) },
            mentionedColumns: columns.reduce([]) { $0.union($1) })
    }

    private func tenant(_ field: ManifestField) -> (Tenant, SQLDialect?)? {
        if case .string = field.node.value { return field.line().map { (Tenant(id: $0), nil) } }
        guard case .object = field.node.value, let members = field.members() else {
            field.mismatch("a tenant's id or an object")
            return nil
        }
        var tenant = Tenant(id: "")
        var dialect: SQLDialect?
        for (name, field) in members where !field.isEmptied {
            switch name {
            case "id": tenant.id = field.line() ?? ""
            case "url":
                let address = self.address(field)
                tenant.url = address?.url
                dialect = address?.dialect
            case "schema":
                tenant.schema = field.line()
                if let problem = tenant.schema.flatMap(SchemaName.problem) { field.report(problem) }
            default: tenant.labels[name] = label(field)
            }
        }
        if !members.contains(where: { $0.name == "id" }) {
            field.report(
                "\"id\" is missing",
                remedy: NearestName.of("id", in: members.map(\.name)).map { "\"\($0)\" is a label" })
        }
        return tenant.id.isEmpty ? nil : (tenant, dialect)
    }

    /// A label's value as text: numbers and truth values as they are spelled.
    private func label(_ field: ManifestField) -> String? {
        switch field.node.value {
        case .number(let spelling): return spelling
        case .boolean(let value): return value ? "true" : "false"
        case .string(let string): return string.text
        default:
            _ = field.text()
            return nil
        }
    }
}

extension Tenant {
    fileprivate var columnNames: Set<String> {
        Set(labels.keys).union(["id"]).union(schema == nil ? [] : ["schema"]).union(url == nil ? [] : ["url"])
    }
}
