import DatabaseAccess
import RunbookModel

/// Sees the locks that a PostgreSQL transaction holds on relations that were there before it.
///
/// `pg_locks` has neither times nor, for a dropped relation, names: names are read when the transaction begins, of the
/// schemas on its path. What is found there later under another number is new, and nobody waits for it.
struct RelationSight {
    private let session: any DatabaseSession
    private let ownSchema: String?
    private let schemas: Set<String>
    private let names: [Int: String]

    /// - Parameter session: inside the transaction, with the tenant's path.
    init(_ session: any DatabaseSession) throws(DatabaseError) {
        self.session = session
        var names: [Int: String] = [:]
        var schemas: Set<String> = []
        let own = try session.row("SELECT pg_catalog.current_schema()::pg_catalog.text")?[0].text
        // A table's own place for large values goes with it when it is dropped.
        try session.query(
            """
            WITH r AS (SELECT c.oid, n.nspname, c.relname, c.reltoastrelid FROM pg_catalog.pg_class c
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ANY (pg_catalog.current_schemas(false)))
            SELECT r.oid::pg_catalog.int8, r.nspname::pg_catalog.text, r.relname::pg_catalog.text FROM r
            UNION ALL SELECT r.reltoastrelid::pg_catalog.int8, 'pg_toast', '' FROM r WHERE r.reltoastrelid <> 0
            UNION ALL SELECT i.indexrelid::pg_catalog.int8, 'pg_toast', '' FROM r
                JOIN pg_catalog.pg_index i ON i.indrelid = r.reltoastrelid WHERE r.reltoastrelid <> 0
            UNION ALL SELECT 0, s::pg_catalog.text, '' FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) s
            """, []
        ) { row throws(DatabaseError) in
            guard let number = row[0].integer, let schema = row[1].text, let name = row[2].text else { return }
            if number == 0 {
                schemas.insert(schema)
            } else {
                names[number] = schema == "pg_toast" ? "" : schema == own ? name : "\(schema).\(name)"
            }
        }
        ownSchema = own
        self.names = names
        self.schemas = schemas
    }

    /// What is held now.
    func look() throws(DatabaseError) -> Set<RelationLockBook.Sight> {
        var held: Set<RelationLockBook.Sight> = []
        try session.query(
            """
            SELECT l.relation::pg_catalog.int8, n.nspname::pg_catalog.text, c.relname::pg_catalog.text, l.mode
            FROM pg_catalog.pg_locks l
                LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
                LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE l.locktype = 'relation' AND l.granted AND l.pid = pg_catalog.pg_backend_pid()
                AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                    WHERE d.datname = pg_catalog.current_database())
            """, []
        ) { row throws(DatabaseError) in
            guard let number = row[0].integer, let mode = row[3].text.flatMap(RelationLockMode.init),
                let name = name(number, row[1].text, row[2].text)
            else { return }
            held.insert(.init(relation: name, mode: mode))
        }
        return held
    }

    /// nil for what is of no interest.
    private func name(_ number: Int, _ schema: String?, _ name: String?) -> String? {
        if let known = names[number] { return known.isEmpty ? nil : known }
        guard let schema, let name else { return "dropped relation \(number)" }
        let isSystem = schema == "pg_catalog" || schema == "information_schema" || schema.hasPrefix("pg_toast")
        guard !isSystem, !schema.hasPrefix("pg_temp"), !schemas.contains(schema) else { return nil }
        return "\(schema).\(name)"
    }
}
