package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// How many executions of the scope are in which state, by index into its identities and by index into its tenants.
    package struct StateTable: Sendable {
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
        let relations = scope.relations(dialect, first: 2)
        func count(
            by column: String, _ each: (Int, String, Int) -> Void
        ) throws(DatabaseError) {
            try query(
                """
                with \(relations.sql)
                select \(column), coalesce(e.state, 'pending'), count(*)
                from t \(sql.ordered) m on m.cohort = t.cohort
                left join \(sql.executions) e on e.workspace = $1 and e.tenant = t.id
                    and e.runbook = m.runbook and e.key = m.key
                group by 1, 2
                """, [.text(workspace)] + relations.parameters
            ) { row throws(DatabaseError) in
                each((row[0].integer ?? 1) - 1, row[1].text ?? "", row[2].integer ?? 0)
            }
        }
        try count(by: "m.ord") { table.byIdentity[$0].add($1, $2) }
        try count(by: "t.ord") { table.byTenant[$0].add($1, $2) }
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
    fileprivate mutating func add(_ state: String, _ count: Int) {
        switch ExecutionState(rawValue: state) {
        case .succeeded, .baselined: done += count
        case .running: running += count
        case .failed: failed += count
        case .unknown: unknown += count
        case .rolledBack, nil: pending += count
        }
    }
}
