import DatabaseAccess
import RunbookModel

/// What a plain build does not tell of the concurrent one.
extension DatabaseSession {
    /// Fails where a plain build would go well, and the server refuses a concurrent one (PostgreSQL manual, CREATE INDEX,
    /// "Building Indexes Concurrently": partitioned tables).
    func refusesConcurrentBuild(_ twin: PlainTwin) throws(DatabaseError) {
        guard case .build(_, let table) = twin.work else { return }
        let row = try row(
            """
            SELECT c.relname::pg_catalog.text FROM pg_catalog.pg_class c
            WHERE c.oid = pg_catalog.to_regclass($1::pg_catalog.text) AND c.relkind = 'p'
            """, [DatabaseValue(table)])
        guard let name = row?[0].text else { return }
        throw DatabaseError(
            .statement, "cannot create index on partitioned table \"\(name)\" concurrently", sqlState: "0A000")
    }

    /// Indexes that are not valid under names that the script builds, quoted: IF NOT EXISTS takes them for good ones, and
    /// apply does not.
    func invalidIndexes(of script: SQLScript) throws(DatabaseError) -> [String] {
        var names: [String] = []
        for case .build(let index?, let table)? in script.statements.map(\.plainTwin?.work) {
            let row = try row(
                """
                SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class t
                    JOIN pg_catalog.pg_class c ON c.relnamespace = t.relnamespace
                    JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE t.oid = pg_catalog.to_regclass($1::pg_catalog.text) AND c.relname = $2::pg_catalog.text
                    AND NOT i.indisvalid
                """, [DatabaseValue(table), DatabaseValue(index)])
            if let name = row?[0].text { names.append(name) }
        }
        return names.sorted()
    }
}

extension ScriptPlace {
    /// As apply says it.
    func leftBehind(_ indexes: [String]) -> Failure {
        var failure = runbook.failure(
            tenant: tenant, "left behind: invalid index \(indexes.joined(separator: ", "))", clean: true,
            hint: indexes.map { "DROP INDEX CONCURRENTLY \($0);" }.joined(separator: " "))
        failure.file = script.path
        failure.line = script.statements.first { $0.isConcurrent }?.line
        return failure
    }
}
