import RunbookModel

extension ManifestDecoder {
    /// The ledger; `DATABASE_URL` and `DIRECT_URL` stand in for addresses that the manifest leaves out.
    func ledger(_ root: ManifestObject) -> (settings: LedgerSettings, dialect: SQLDialect)? {
        let field = root["ledger"] ?? root.field
        let object = root["ledger"]?.object(keys: ["url", "direct_url", "schema", "retention", "pooler"])
        if root["ledger"] != nil, object == nil { return nil }

        guard let url = object?["url"] ?? variable("DATABASE_URL", path: "ledger.url", near: field) else {
            log.report(
                "the ledger has no address", at: field.node.range.lowerBound, path: "ledger.url",
                remedy: "write ledger: { url: \"sqlite:.muster/ledger.db\" }, or set DATABASE_URL")
            return nil
        }
        let address = self.address(url)
        var direct = object?["direct_url"]
        if direct == nil, address?.dialect == .postgresql {
            direct = variable("DIRECT_URL", path: "ledger.direct_url", near: field)
        }
        let directAddress = self.directAddress(direct, beside: address?.dialect)

        var settings = LedgerSettings(url: address?.url ?? Redacted(""), directURL: directAddress?.url)
        if let schema = object?["schema"], let name = schema.line() {
            if let problem = SchemaName.problem(name) { schema.report(problem, remedy: "choose another name") }
            settings.schema = name
        }
        let days: ClosedRange<Duration> = .seconds(86_400)...(.seconds(86_400) * 10_000)
        if let retention = object?["retention"]?.duration(in: days) { settings.retention = retention }
        settings.pooler = object?["pooler"]?.choice(PoolerMode.self, noun: "pooler mode")
        return address?.dialect.map { (settings, $0) }
    }

    /// The address that bypasses a pooler: the same engine as the one beside it.
    func directAddress(
        _ field: ManifestField?, beside dialect: SQLDialect?, takesColumns: Bool = false
    ) -> DatabaseAddress? {
        guard let field, let address = self.address(field, takesColumns: takesColumns) else { return nil }
        if address.dialect == .sqlite {
            field.report("a SQLite file has no pooler to go around", remedy: "leave direct_url out")
        } else if dialect == .sqlite {
            field.report("stands beside a url for SQLite", remedy: "leave direct_url out")
        }
        return address
    }
}
