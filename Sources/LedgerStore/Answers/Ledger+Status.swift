package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// How many executions of the scope are in which state, by index into its identities and by index into its tenants.
    package struct StateTable: Sendable, Hashable {
        package var byIdentity: [StatusReport.StateCounts]
        package var byTenant: [StatusReport.StateCounts]

        package init(byIdentity: [StatusReport.StateCounts], byTenant: [StatusReport.StateCounts]) {
            self.byIdentity = byIdentity
            self.byTenant = byTenant
        }
    }

    package func states(in scope: LedgerScope) throws(DatabaseError) -> StateTable {
        var table = StateTable(
            byIdentity: Array(repeating: StatusReport.StateCounts(), count: scope.identities.count),
            byTenant: Array(repeating: StatusReport.StateCounts(), count: scope.tenants.count))
        let sizes = Dictionary(grouping: scope.tenants, by: \.cohort).mapValues(\.count)
        for member in scope.members { table.byIdentity[member.identity].pending += sizes[member.cohort] ?? 0 }
        let members = Dictionary(grouping: scope.members, by: \.cohort).mapValues(\.count)
        for index in scope.tenants.indices {
            table.byTenant[index].pending = members[scope.tenants[index].cohort] ?? 0
        }
        // What stands in sets is counted by set; a row of a tenant's own counts in the place of what it stands before.
        let relations = scope.relations(dialect, first: 2)
        let rows = """
            with \(relations.sql),
            \(coverage),
            own(tenant, identity, state, sealed) as materialized (select t.ord, m.ord, e.state, k.state \(ownRows))
            """
        let byIdentity = """
            \(rows),
            g(cohort, set_id, n) as (
                select t.cohort, s.set_id, count(*)
                from t \(sql.ordered) \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
                group by t.cohort, s.set_id)
            select ord, state, sum(n) from (
                select k.ord as ord, k.state as state, g.n as n from g join k on k.cohort = g.cohort and k.set_id = g.set_id
                union all select identity, state, 1 from own
                union all select identity, sealed, -1 from own where sealed is not null) q
            group by ord, state
            """
        let byTenant = """
            \(rows),
            w(cohort, set_id, state, n) as (
                select cohort, set_id, state, count(*) from k group by cohort, set_id, state)
            select t.ord, w.state, w.n
            from t \(sql.ordered) \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
            \(sql.ordered) w on w.cohort = t.cohort and w.set_id = s.set_id
            union all select tenant, state, 1 from own
            union all select tenant, sealed, -1 from own where sealed is not null
            """
        let parameters = [.text(workspace)] + relations.parameters
        try query(byIdentity, parameters) { row throws(DatabaseError) in
            table.byIdentity[(row[0].integer ?? 1) - 1].move(row[1].text ?? "", row[2].integer ?? 0)
        }
        try query(byTenant, parameters) { row throws(DatabaseError) in
            table.byTenant[(row[0].integer ?? 1) - 1].move(row[1].text ?? "", row[2].integer ?? 0)
        }
        return table
    }

    /// Everything the ledger itself knows of tenants and identities, as they were last seen.
    package func lastSeen() throws(DatabaseError) -> (tenants: [String], identities: [SeenIdentity]) {
        let tenants = try rows(
            "select tenant from \(sql.tenants) where workspace = $1 and gone_at is null order by tenant",
            [.text(workspace)])
        let identities = try rows(
            """
            select runbook, key, checksum, title, phase, scope from \(sql.identities)
            where workspace = $1 and gone_at is null order by position
            """, [.text(workspace)])
        return (
            tenants.compactMap { $0[0].text },
            identities.map { row in
                SeenIdentity(
                    identity: Identity(runbook: row[0].text ?? "", key: row[1].text ?? ""),
                    checksum: row[2].text ?? "", title: row[3].text, phase: row[4].text,
                    scope: row[5].text.flatMap(RunbookScope.init) ?? .tenant)
            }
        )
    }

    /// The keys under which a runbook is known, newest last.
    package func keys(of runbook: String) throws(DatabaseError) -> [String] {
        try rows(
            "select key from \(sql.identities) where workspace = $1 and runbook = $2 order by seen_at, key",
            [.text(workspace), .text(runbook)]
        ).compactMap { $0[0].text }
    }
}

/// An identity as the ledger last saw it in a manifest.
package struct SeenIdentity: Sendable {
    package var identity: Identity
    package var checksum: String
    package var title: String?
    package var phase: String?
    package var scope: RunbookScope
}

extension StatusReport.StateCounts {
    /// Counts so many as in that state that were counted as pending.
    fileprivate mutating func move(_ state: String, _ count: Int) {
        pending -= count
        switch ExecutionState(rawValue: state) {
        case .succeeded, .baselined: done += count
        case .running: running += count
        case .failed: failed += count
        case .unknown: unknown += count
        case .rolledBack, nil: pending += count
        }
    }
}
