package import DatabaseAccess
import FoundationEssentials
package import RunbookModel

extension Ledger {
    /// How many tenants the workspace had when they were last seen; nil when the ledger has never seen one.
    package func lastTenantCount() throws(DatabaseError) -> Int? {
        let seen = try row(
            "select tenant_count from \(sql.workspaces) where workspace = $1", [.text(workspace)])?[0].integer
        guard seen == 0 else { return seen }
        // An empty workspace that once had tenants is not the same as a new one.
        let ever = try row("select exists (select 1 from \(sql.tenants) where workspace = $1)", [.text(workspace)])
        return ever?[0].boolean == true ? 0 : nil
    }

    /// Keeps the tenants and the identities as they are seen now. Rows that have not changed are not written.
    ///
    /// - Parameter pageSize: how many tenants go into one statement.
    package func remember(
        tenants: some RandomAccessCollection<Tenant>, runbooks: [Runbook], pageSize: Int = 10_000
    ) throws(DatabaseError) {
        try writing { () throws(DatabaseError) in
            try keep(tenants: tenants, runbooks: runbooks, pageSize: pageSize)
            try Failpoint.reach(.remember, .before)
        }
        try Failpoint.reach(.remember, .after)
    }

    /// The same inside a transaction.
    package func keep(
        tenants: some RandomAccessCollection<Tenant>, runbooks: [Runbook], pageSize: Int = 10_000
    ) throws(DatabaseError) {
        // First: its row makes those who remember at the same moment wait in one line instead of for each other.
        try execute(
            """
            insert into \(sql.workspaces) (workspace, tenant_count, seen_at) values ($1, $2, \(sql.now))
            on conflict (workspace) do update set tenant_count = excluded.tenant_count, seen_at = excluded.seen_at
            """, [.text(workspace), DatabaseValue(tenants.count)])
        var rest = tenants[...]
        while !rest.isEmpty {
            try remember(Array(rest.prefix(pageSize)))
            rest = rest.dropFirst(pageSize)
        }
        try forget(allBut: tenants.lazy.map(\.id))
        try remember(runbooks)
    }

    private func remember(_ tenants: [Tenant]) throws(DatabaseError) {
        let labels = tenants.lazy.map { LedgerList.json($0.labels) }
        let (list, parameters): (String, [DatabaseValue]) =
            switch dialect {
            case .postgresql:
                (
                    "rows from (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) as x(tenant, labels)",
                    [LedgerList.texts(tenants.lazy.map(\.id), dialect), LedgerList.texts(labels, dialect)]
                )
            case .sqlite:
                (
                    """
                    (select json_extract(value, '$[0]') as tenant, json_extract(value, '$[1]') as labels
                     from json_each($2)) as x
                    """,
                    [
                        .text(
                            LedgerList.text(zip(tenants, labels), "[", "]") { row, out in
                                out += LedgerList.json([row.0.id, row.1]).utf8
                            })
                    ]
                )
            }
        let cast = dialect == .postgresql ? "::jsonb" : ""
        try execute(
            """
            insert into \(sql.tenants) as t (workspace, tenant, labels, seen_at)
            select $1, x.tenant, x.labels\(cast), \(sql.now) from \(list)
            where not exists (
                select 1 from \(sql.tenants) o where o.workspace = $1 and o.tenant = x.tenant and o.gone_at is null
                    and o.labels = x.labels\(cast))
            on conflict (workspace, tenant) do update set
                labels = excluded.labels, gone_at = null,
                seen_at = case when t.gone_at is null then t.seen_at else excluded.seen_at end
            where t.gone_at is not null or t.labels <> excluded.labels
            """, [.text(workspace)] + parameters)
    }

    /// Tenants that the source does not give any more.
    private func forget(allBut present: some Collection<String>) throws(DatabaseError) {
        let isGone =
            switch dialect {
            case .postgresql: "tenant not in (select pg_catalog.unnest($2::text[]))"
            case .sqlite: "tenant not in (select value from json_each($2))"
            }
        // As many as there should be, all of them among those just remembered: then none is gone, which would be found
        // out by all their names. A long list is not even sent then.
        let count = "select count(*) from \(sql.tenants) where workspace = $1 and gone_at is null"
        if present.count > 1000, try row(count, [.text(workspace)])?[0].integer == present.count { return }
        try execute(
            """
            update \(sql.tenants) set gone_at = \(sql.now)
            where (\(count)) <> $3 and workspace = $1 and gone_at is null and \(isGone)
            """, [.text(workspace), LedgerList.texts(present, dialect), DatabaseValue(present.count)])
    }

    private func remember(_ runbooks: [Runbook]) throws(DatabaseError) {
        try execute(
            "update \(sql.identities) set gone_at = \(sql.now) where workspace = $1 and gone_at is null",
            [.text(workspace)])
        let cast = dialect == .postgresql ? "::jsonb" : ""
        for (position, runbook) in runbooks.enumerated() {
            let match: String
            do { match = String(decoding: try JSONEncoder().encode(runbook.match), as: UTF8.self) } catch {
                throw DatabaseError(.misuse, "labels could not be encoded: \(error)")
            }
            try execute(
                """
                insert into \(sql.identities) (workspace, runbook, key, checksum, title, phase, scope, match, position,
                    seen_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8\(cast), $9, \(sql.now))
                on conflict (workspace, runbook, key) do update set
                    checksum = excluded.checksum, title = excluded.title, phase = excluded.phase,
                    scope = excluded.scope, match = excluded.match, position = excluded.position,
                    seen_at = excluded.seen_at, gone_at = null
                """,
                [
                    .text(workspace), .text(runbook.id), .text(runbook.key), .text(runbook.checksum),
                    DatabaseValue(runbook.title), .text(runbook.phase), .text(runbook.scope.rawValue), .text(match),
                    DatabaseValue(position),
                ])
        }
    }
}
