package import DatabaseAccess
package import RunbookModel

/// The receipts of one tenant, to be read and set right by the verbs that a person calls.
///
/// Every method runs inside a transaction that the caller has begun by `begin`; changes need the tenant's lock.
package struct ReceiptBook {
    private let session: any DatabaseSession
    private let sql: LedgerSQL
    private let workspace: String
    private let tenant: String
    private let holder: String

    package init(
        in session: any DatabaseSession, schema: String, workspace: String, tenant: String, holdsOneTenant: Bool
    ) {
        self.session = session
        sql = LedgerSQL(dialect: session.dialect, schema: schema)
        self.workspace = workspace
        self.tenant = tenant
        holder = holdsOneTenant ? "" : tenant
    }

    /// What begins a transaction in which no object of the tenant's answers in the place of a built-in one.
    package static func begin(_ dialect: DatabaseDialect, isReadOnly: Bool) -> [String] {
        let sql = LedgerSQL(dialect: dialect, schema: "")
        return [isReadOnly ? sql.beginReadOnly : sql.begin] + sql.ownPath
    }

    private var table: String { sql.name("receipts") }

    /// Whether there is a table of receipts.
    package func exists() throws(DatabaseError) -> Bool {
        switch sql.dialect {
        case .postgresql:
            try session.row("SELECT pg_catalog.to_regclass($1) IS NOT NULL", [.text(table)])?[0].boolean == true
        case .sqlite:
            try session.row("SELECT count(*) FROM main.sqlite_schema WHERE name = 'muster_receipts'")?[0].boolean
                == true
        }
    }

    /// Makes the table where it is missing; it comes with the transaction.
    package func make() throws(DatabaseError) {
        guard try !exists() else { return }
        switch sql.dialect {
        case .postgresql:
            // `IF NOT EXISTS` would ask for the right to create schemas where there is nothing to create.
            let isMissing = try session.row("SELECT pg_catalog.to_regnamespace($1) IS NULL", [.text(sql.schema)])
            if isMissing?[0].boolean == true { try session.run("CREATE SCHEMA \(sql.schema)") }
            try session.run(postgresReceiptsDDL(sql))
        case .sqlite: try session.execute(sqliteReceiptsDDL)
        }
    }

    package func all() throws(DatabaseError) -> [Receipt] {
        guard try exists() else { return [] }
        let text = """
            select runbook, key, tenant, state, attempt, checksum, run_id, runner, \(sql.milliseconds("started_at")),
                \(sql.milliseconds("finished_at")), rows_affected, clean
            from \(table) where workspace = $1 and holder = $2 order by runbook, key
            """
        return try session.rows(sql.text(text), [.text(workspace), .text(holder)]).compactMap { row in
            guard let state = row[3].text.flatMap(ExecutionState.init) else { return nil }
            return Receipt(
                identity: Identity(runbook: row[0].text ?? "", key: row[1].text ?? ""), tenant: row[2].text ?? "",
                state: state, clean: row[11].boolean, attempt: row[4].integer ?? 0, checksum: row[5].text ?? "",
                run: row[6].text,
                runner: row[7].text, startedAt: row[8].integer, finishedAt: row[9].integer,
                rowsAffected: row[10].integer)
        }
    }

    /// Makes all receipts this tenant's.
    package func adopt() throws(DatabaseError) -> Int {
        try change(
            "update \(table) set tenant = $3 where workspace = $1 and holder = $2 and tenant <> $3", [.text(tenant)])
    }

    /// Lets a finished receipt bear another body's checksum.
    package func accept(_ checksum: String, for identity: Identity) throws(DatabaseError) -> Int {
        try change(
            """
            update \(table) set checksum = $5
            where workspace = $1 and holder = $2 and runbook = $3 and key = $4 and state in \(LedgerSQL.done)
            """, [.text(identity.runbook), .text(identity.key), .text(checksum)])
    }

    /// Settles an attempt whose end nobody saw, or that left something behind, as it was seen: nothing else is touched.
    package func settle(_ seen: Receipt, as state: ExecutionState, checksum: String) throws(DatabaseError) -> Int {
        try change(
            """
            update \(table) set state = $5, clean = case when $5 = 'failed' then true end, checksum = $6,
                finished_at = \(sql.now)
            where workspace = $1 and holder = $2 and runbook = $3 and key = $4 and state = $7 and attempt = $8
            """,
            [
                .text(seen.identity.runbook), .text(seen.identity.key), .text(state.rawValue), .text(checksum),
                .text(seen.state.rawValue), DatabaseValue(seen.attempt),
            ])
    }

    /// Writes a receipt where there is none.
    package func add(_ identity: Identity, _ state: ExecutionState, checksum: String) throws(DatabaseError) -> Int {
        try change(
            """
            insert into \(table) (workspace, holder, runbook, key, tenant, state, attempt, fence, checksum, started_at,
                finished_at)
            values ($1, $2, $3, $4, $5, $6, 1, 0, $7, \(sql.now), \(sql.now))
            on conflict (workspace, holder, runbook, key) do nothing
            """,
            [
                .text(identity.runbook), .text(identity.key), .text(tenant), .text(state.rawValue), .text(checksum),
            ])
    }

    private func change(_ statement: String, _ parameters: [DatabaseValue]) throws(DatabaseError) -> Int {
        try session.execute(sql.text(statement), [.text(workspace), .text(holder)] + parameters).rowsAffected
    }
}
