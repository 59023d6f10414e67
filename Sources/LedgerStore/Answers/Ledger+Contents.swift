package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// Every identity that a manifest listed or that is on record, with how many tenants are in which state.
    package func contents() throws(DatabaseError) -> [LedgerContents.ListedIdentity] {
        var identities: [LedgerContents.ListedIdentity] = []
        var places: [Identity: Int] = [:]
        try query(
            """
            select runbook, key, phase, scope, gone_at is null from \(sql.identities) where workspace = $1
            order by gone_at is not null, position, runbook, key
            """, [.text(workspace)]
        ) { row throws(DatabaseError) in
            let identity = Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")
            places[identity] = identities.count
            identities.append(
                LedgerContents.ListedIdentity(
                    identity, phase: row[2].text, scope: row[3].text.flatMap(RunbookScope.init),
                    isListed: row[4].boolean == true))
        }
        // What stands in sets is counted by set; a row of a tenant's own counts in the place of what it stands before.
        try query(
            """
            select q.runbook, q.key, q.state, sum(q.n) from (
                select x.runbook, x.key, x.state, g.n from (
                    select set_id, count(*) as n from \(sql.sealed) where workspace = $1 group by set_id) g
                \(sql.ordered) \(sql.setMembers) x on x.set_id = g.set_id
                union all
                select runbook, key, state, count(*) from \(sql.executions) where workspace = $1
                group by runbook, key, state
                union all
                select x.runbook, x.key, x.state, -1 from \(sql.executions) e
                \(sql.ordered) \(sql.sealed) s on s.workspace = e.workspace and s.tenant = e.tenant
                \(sql.ordered) \(sql.setMembers) x on x.set_id = s.set_id and x.runbook = e.runbook and x.key = e.key
                where e.workspace = $1) q
            group by q.runbook, q.key, q.state order by q.runbook, q.key
            """, [.text(workspace)]
        ) { row throws(DatabaseError) in
            guard let state = row[2].text.flatMap(ExecutionState.init) else { return }
            let identity = Identity(runbook: row[0].text ?? "", key: row[1].text ?? "")
            if places[identity] == nil {
                places[identity] = identities.count
                identities.append(LedgerContents.ListedIdentity(identity))
            }
            if let place = places[identity] { identities[place].add(state, row[3].integer ?? 0) }
        }
        return identities
    }

    /// Everything on record of one tenant (with an empty name: of the workspace).
    package func contents(of tenant: String) throws(DatabaseError) -> [LedgerRecord] {
        try records(where: "workspace = $1 and tenant = $2", [.text(tenant)])
    }

    /// The records of the next tenants, in the order of their names.
    ///
    /// Pages, each in a transaction of its own: a reader that takes its time keeps no snapshot open meanwhile.
    /// - Parameters:
    ///   - tenant: the last one of the page before; nil at the beginning.
    ///   - onlyDone: what never runs again.
    ///   - limit: how many tenants at once.
    /// - Returns: the last tenant of the page; nil when there are no more.
    package func page(
        after tenant: String?, onlyDone: Bool, limit: Int = 50
    ) throws(DatabaseError) -> (records: [LedgerRecord], last: String?) {
        let after = "workspace = $1 and tenant \(tenant == nil ? ">=" : ">") $2"
        let names = try rows(
            """
            select q.tenant from (
                select * from (
                    select distinct tenant from \(sql.executions) where \(after) order by tenant limit $3) a
                union
                select * from (
                    select tenant from \(sql.sealed) where \(after) order by tenant limit $3) b) q
            order by q.tenant limit $3
            """, [.text(workspace), .text(tenant ?? ""), DatabaseValue(limit)]
        ).compactMap { $0[0].text }
        guard let last = names.last else { return ([], nil) }
        let records = try records(
            where: "\(after) and tenant <= $3" + (onlyDone ? " and state in \(LedgerSQL.done)" : ""),
            [.text(tenant ?? ""), .text(last)])
        return (records, last)
    }

    private func records(
        where condition: String, _ parameters: [DatabaseValue]
    ) throws(DatabaseError) -> [LedgerRecord] {
        var records: [LedgerRecord] = []
        try query(
            """
            select tenant, runbook, key, state, clean, attempt, checksum, run_id, \(sql.milliseconds("finished_at"))
            from \(sql.known) where \(condition) order by tenant, runbook, key
            """, [.text(workspace)] + parameters
        ) { row throws(DatabaseError) in
            guard let state = row[3].text.flatMap(ExecutionState.init) else { return }
            records.append(
                LedgerRecord(
                    workspace: workspace, tenant: row[0].text.flatMap { $0.isEmpty ? nil : $0 },
                    identity: Identity(runbook: row[1].text ?? "", key: row[2].text ?? ""), state: state,
                    clean: row[4].boolean, attempt: row[5].integer ?? 0, checksum: row[6].text ?? "",
                    runID: row[7].text, finishedAt: Self.date(row[8])))
        }
        return records
    }
}
