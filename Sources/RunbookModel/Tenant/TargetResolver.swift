import Groundwork

/// Says where a tenant is, by filling in the target's templates with its columns.
package struct TargetResolver: Sendable {
    private let url: ColumnTemplate?
    private let directURL: ColumnTemplate?
    private let schema: ColumnTemplate?
    private let role: ColumnTemplate?
    private let searchPath: [ColumnTemplate]?
    /// Sorted by name.
    private let settings: [(name: String, value: ColumnTemplate)]
    private let ledger: LedgerSettings
    private let isFiles: Bool
    private let synchronous: Synchronous
    /// Whether tenants with different ids are in different places, whatever else they have.
    let differsByID: Bool

    /// - Throws: the first template that is none; a manifest that was checked has only good ones.
    package init(_ tenants: TenantSettings, ledger: LedgerSettings) throws(ColumnTemplateError) {
        func template(_ text: String?) throws(ColumnTemplateError) -> ColumnTemplate? {
            guard let text else { return nil }
            return try ColumnTemplate(text)
        }
        url = try template(tenants.target.url?.revealed)
        directURL = try template(tenants.target.directURL?.revealed)
        schema = try template(tenants.target.schema)
        role = try template(tenants.target.role)
        var path: [ColumnTemplate]?
        for entry in tenants.searchPath ?? [] { path = (path ?? []) + [try ColumnTemplate(entry)] }
        searchPath = path
        var values: [(name: String, value: ColumnTemplate)] = []
        for (name, text) in tenants.settings.sorted(by: { $0.key < $1.key }) {
            values.append((name, try ColumnTemplate(text)))
        }
        settings = values
        self.ledger = ledger
        synchronous = tenants.synchronous
        if case .files = tenants.source { isFiles = true } else { isFiles = false }
        // A schema is none where the address leads to a file.
        let isServer = tenants.target.url?.revealed.hasPrefix("postgres") == true
        let deciding = [url, isServer ? schema : nil].compactMap(\.self) + values.map(\.value)
        differsByID = deciding.contains { $0.pieces.filter(\.isColumn) == [.column("id")] }
    }

    /// The tenant's target: its address from the template, else its own, else the ledger's.
    package func target(of tenant: Tenant) throws(TenantFinding) -> TenantTarget {
        let url = try address(self.url, "target.url", tenant) ?? tenant.url ?? ledger.url
        var directURL = try address(directURL, "target.direct_url", tenant)
        if directURL == nil, self.url == nil, tenant.url == nil { directURL = ledger.directURL }

        let isSQLite = url.revealed.hasPrefix("sqlite:")
        let schema = isSQLite ? nil : try schemaName(of: tenant)
        let role = try value(role, "target.role", tenant)
        if let role, role.isEmpty || role.utf8.count > 63 {
            throw TenantFinding(
                .schema, tenant: tenant.id, "a role's name has 1 to 63 bytes", remedy: "change what target.role gives")
        }
        var settings: [TenantTarget.Setting] = []
        for (name, template) in self.settings {
            settings.append(.init(name: name, value: try filled(template, "settings.\(name)", tenant)))
        }
        return TenantTarget(
            url: url, directURL: directURL, schema: schema, role: role,
            searchPath: isSQLite ? nil : try path(of: tenant, schema: schema), settings: settings,
            holdsOneTenant: isFiles || schema == nil && settings.isEmpty, synchronous: synchronous)
    }

    /// The address of every tenant; nil where it depends on the tenant.
    func commonURL(withAddresses hasAddresses: Bool) -> Redacted? {
        guard let url else { return hasAddresses ? nil : ledger.url }
        var text = ""
        for piece in url.pieces {
            guard case .text(let part) = piece else { return nil }
            text += part
        }
        return Redacted(text)
    }

    // MARK: Names

    private func schemaName(of tenant: Tenant) throws(TenantFinding) -> String? {
        guard let name = try value(schema, "target.schema", tenant) ?? tenant.schema else { return nil }
        if let problem = SchemaName.problem(name) {
            throw TenantFinding(
                .schema, tenant: tenant.id, problem, remedy: "rename the schema, or take the tenant out of the source")
        }
        return name
    }

    private func path(of tenant: Tenant, schema: String?) throws(TenantFinding) -> [String]? {
        guard let searchPath else { return schema.map { [$0] } }
        var path: [String] = []
        for template in searchPath {
            let name = try filled(template, "search_path", tenant)
            // Unlike a tenant's schema, one on the path may be PostgreSQL's own.
            if name.isEmpty || name.utf8.count > 63 || name == "$user" {
                throw TenantFinding(
                    .schema, tenant: tenant.id, "\(name.debugDescription) cannot stand on the search path",
                    remedy: "name a schema of 1 to 63 bytes")
            }
            path.append(name)
        }
        return path
    }

    // MARK: Templates

    /// An address. A column at its start is an address itself and stands as it is; any other is percent-encoded.
    private func address(
        _ template: ColumnTemplate?, _ field: String, _ tenant: Tenant
    ) throws(TenantFinding) -> Redacted? {
        guard let template else { return nil }
        var text = ""
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .text(let part): text += part
            case .column(let name):
                let value = try column(name, field, tenant)
                text += index == 0 ? value : try encoded(value, in: text, field, tenant)
            }
        }
        return Redacted(text)
    }

    private func encoded(
        _ value: String, in address: String, _ field: String, _ tenant: Tenant
    ) throws(TenantFinding) -> String {
        // A file's path is decoded before it is opened, so encoding does not keep a value inside its folder.
        if address.hasPrefix("sqlite:"), value.utf8.contains(UInt8(ascii: "/")) || value == "." || value == ".." {
            throw TenantFinding(
                .value, tenant: tenant.id, "a value in \(field) leads into another folder",
                remedy: "give the tenant a url of its own")
        }
        return PercentEncoding.encoded(value)
    }

    private func value(
        _ template: ColumnTemplate?, _ field: String, _ tenant: Tenant
    ) throws(TenantFinding) -> String? {
        guard let template else { return nil }
        return try filled(template, field, tenant)
    }

    private func filled(_ template: ColumnTemplate, _ field: String, _ tenant: Tenant) throws(TenantFinding) -> String {
        var text = ""
        for piece in template.pieces {
            switch piece {
            case .text(let part): text += part
            case .column(let name): text += try column(name, field, tenant)
            }
        }
        return text
    }

    private func column(_ name: String, _ field: String, _ tenant: Tenant) throws(TenantFinding) -> String {
        guard let value = tenant.value(of: name) else {
            let labels = tenant.labels.keys.filter(ColumnTemplate.isColumnName).sorted()
            let known = ["id"] + (tenant.schema == nil ? [] : ["schema"]) + labels
            let nearest = NearestName.of(name, in: known).map { ", or write {\($0)}" } ?? ""
            throw TenantFinding(
                .column, tenant: tenant.id, "\(field) asks for {\(name)}, and the tenant has no such column",
                remedy: "let the source give it a value\(nearest)")
        }
        if value.utf8.contains(0) {
            throw TenantFinding(
                .value, tenant: tenant.id, "the column \(name) holds a NUL", remedy: "take it out of the value")
        }
        return value
    }
}
