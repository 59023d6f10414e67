import DatabaseAccess
import LedgerStore
import RunbookModel

/// What a PostgreSQL session is told before a script: time limits, the tenant's settings, role and search_path.
struct PostgresSettings {
    let target: TenantTarget
    let limits: RunbookLimits
    let serverVersion: Int

    /// One statement (two with a role) that sets everything, and one that asserts the target as text.
    ///
    /// - Parameter isLocal: for the transaction, or for the session.
    func text(isLocal: Bool) throws(DatabaseError) -> (statements: Int, text: String) {
        var settings = pairs(isLocal: isLocal)
        if let path = try path { settings.append((name: "search_path", value: path)) }
        let calls = try settings.map { name, value throws(DatabaseError) in
            """
            pg_catalog.set_config(\(try PostgresText.quoteLiteral(name)), \(try PostgresText.quoteLiteral(value)), \
            \(isLocal))
            """
        }
        let all = "SELECT \(calls.joined(separator: ", "));"
        guard let role = target.role else { return (1, all) }
        return (2, "SET \(isLocal ? "LOCAL " : "")ROLE \(try PostgresText.quoteIdentifier(role));\n\(all)")
    }

    /// The same for the ledger's own claim, which knows by itself what is set for every script.
    func scene() throws(DatabaseError) -> ClaimScene {
        var settings = target.settings.map { (name: $0.name, value: $0.value) }
        if let role = target.role { settings.insert(("role", role), at: 0) }
        return ClaimScene(
            limits: (milliseconds(limits.statementTimeout), milliseconds(limits.lockTimeout)), settings: settings,
            target: target.searchPath?.first, path: try path)
    }

    /// As `search_path` takes it; nil leaves the session's own.
    var path: String? {
        get throws(DatabaseError) {
            try target.searchPath?.map { name throws(DatabaseError) in try PostgresText.quoteIdentifier(name) }
                .joined(separator: ", ")
        }
    }

    private func pairs(isLocal: Bool) -> [(name: String, value: String)] {
        var settings = [
            (name: "statement_timeout", value: milliseconds(limits.statementTimeout)),
            (name: "lock_timeout", value: milliseconds(limits.lockTimeout)),
            // A name over 63 bytes, a backslash: the lexer reads scripts as the server does only under this.
            (name: "standard_conforming_strings", value: "on"),
        ]
        // Ends transactional work whose runner is gone (PostgreSQL 14, manual 20.3.3).
        if isLocal, serverVersion >= 140_000 {
            settings.append((name: "client_connection_check_interval", value: "2s"))
        }
        for setting in target.settings { settings.append((name: setting.name, value: setting.value)) }
        return settings
    }

    /// Fails with 22P02 and a text that names what is there instead. `current_schema()` is NULL when the schema is
    /// missing or may not be used; compared as `name`, a long literal would be cut to fit.
    func assertion() throws(DatabaseError) -> String? {
        guard let schema = target.searchPath?.first ?? target.schema else { return nil }
        let literal = try PostgresText.quoteLiteral(schema)
        return """
            SELECT (CASE WHEN pg_catalog.current_schema()::pg_catalog.text OPERATOR(pg_catalog.=) \(literal) \
            THEN '1' ELSE pg_catalog.concat('current schema: ', pg_catalog.current_schema()) END)::pg_catalog.int4;
            """
    }

    private func milliseconds(_ limit: Duration?) -> String {
        limit.map { String(max(1, $0.milliseconds)) } ?? "0"
    }
}
