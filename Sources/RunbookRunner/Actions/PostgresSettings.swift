import DatabaseAccess
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
        var settings: [(String, String)] = [
            ("statement_timeout", milliseconds(limits.statementTimeout)),
            ("lock_timeout", milliseconds(limits.lockTimeout)),
            // A name over 63 bytes, a backslash: the lexer reads scripts as the server does only under this.
            ("standard_conforming_strings", "on"),
        ]
        // Ends transactional work whose runner is gone (PostgreSQL 14, manual 20.3.3).
        if isLocal, serverVersion >= 140_000 { settings.append(("client_connection_check_interval", "2s")) }
        for setting in target.settings { settings.append((setting.name, setting.value)) }
        if let path = target.searchPath {
            let names = try path.map { name throws(DatabaseError) in try PostgresText.quoteIdentifier(name) }
            settings.append(("search_path", names.joined(separator: ", ")))
        }
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
