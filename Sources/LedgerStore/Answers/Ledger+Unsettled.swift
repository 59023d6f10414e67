package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// `k(cohort, ord, set_id, state, fits)`: which members of which set a cohort asks about, and whether each is what
    /// the scope wants. Sets are few: this is decided once for all tenants that share one.
    var coverage: String {
        """
        k(cohort, ord, set_id, state, fits) as materialized (
            select m.cohort, m.ord, x.set_id, x.state, x.checksum = m.checksum or m.accepts
            from \(sql.sets) s \(sql.ordered) \(sql.setMembers) x on x.set_id = s.id
            \(sql.ordered) m on m.runbook = x.runbook and m.key = x.key
            where s.workspace = $1)
        """
    }

    /// Whether any tenant of the workspace has rows of its own. Nearly always none has, all being sealed: a question for
    /// each tenant's is put behind this one, which is asked once.
    var hasOwnRows: String { "exists (select 1 from \(sql.executions) where workspace = $1)" }

    /// The tenants' own rows that a scope asks about: from `t`, as `e` with its `m`, and what stands behind it in the
    /// tenant's set, `k`.
    var ownRows: String {
        """
        from t \(sql.ordered) \(sql.executions) e on e.workspace = $1 and e.tenant = t.id
        \(sql.ordered) m on m.cohort = t.cohort and m.runbook = e.runbook and m.key = e.key
        left join \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
        left join k on k.cohort = m.cohort and k.ord = m.ord and k.set_id = s.set_id
        """
    }

    /// Common table expressions over a scope: after them `u(id, ord, …, set_id)` holds the tenants of the scope in which
    /// at least one member identity is not done under its checksum.
    ///
    /// What is done is what fits in the tenant's set, corrected by the tenant's own rows, which stand before it.
    func unsettled(
        _ scope: LedgerScope, first: Int, forJobs: Bool = false
    ) -> (sql: String, parameters: [DatabaseValue]) {
        let relations = scope.relations(dialect, first: first, forJobs: forJobs)
        if scope.isUndo { return ("with \(relations.sql),\n\(undone)", relations.parameters) }
        let isDone = "e.state in \(LedgerSQL.done) and (e.checksum = m.checksum or m.accepts)"
        let text = """
            with \(relations.sql),
            \(coverage),
            v(cohort, set_id, n) as (select cohort, set_id, count(*) from k where fits group by cohort, set_id),
            c(cohort, n) as (select cohort, count(*) from m group by cohort),
            d(id, n) as (
                select t.id, sum(case when \(isDone) then 1 else 0 end - case when k.fits then 1 else 0 end)
                \(ownRows) where \(hasOwnRows) group by t.id),
            u as (
                select t.*, s.set_id from t join c on c.cohort = t.cohort
                left join \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
                left join v on v.cohort = t.cohort and v.set_id = s.set_id
                left join d on d.id = t.id
                where coalesce(v.n, 0) + coalesce(d.n, 0) < c.n)
            """
        return (text, relations.parameters)
    }

    /// Which tenants of the scope have something that is not done, and what is on record for each of them.
    ///
    /// - Parameter each: index into the scope's tenants, and what is recorded; called in the order of the scope.
    package func forEachUnsettled(
        in scope: LedgerScope, _ each: (Int, TenantRecords) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return }
        let pending = unsettled(scope, first: 2)
        let fields = "i.ord || ' ' || e.state || ' ' || \(Self.cleanText) || ' ' || e.attempt || ' ' || e.checksum"
        // One statement, one snapshot: a tenant whose records move into a set is seen before or after. The sets come
        // first, each once.
        let statement = """
            \(pending.sql)
            select kind, ord, set_id, text from (
                select 0 as kind, i.ord as ord, x.set_id as set_id, x.state || ' - 0 ' || x.checksum as text
                from \(sql.sets) s \(sql.ordered) \(sql.setMembers) x on x.set_id = s.id
                \(sql.ordered) i on i.runbook = x.runbook and i.key = x.key
                where s.workspace = $1
                union all
                select 1, u.ord, u.set_id, case when \(hasOwnRows) then (
                    select \(sql.joined(fields)) from \(sql.executions) e
                    \(sql.ordered) i on i.runbook = e.runbook and i.key = e.key
                    where e.workspace = $1 and e.tenant = u.id) end
                from u) q
            order by kind, ord
            """
        var sets: [Int: [Int: RecordedExecution]] = [:]
        let parameters = [.text(workspace)] + pending.parameters
        try query(statement, parameters, aloneIn: sql.beginReadOnly) { row throws(DatabaseError) in
            guard let ordinal = row[1].integer else { return }
            let set = row[2].integer ?? 0
            if row[0].integer == 0 {
                guard let text = row[3].text else { return }
                sets[set, default: [:]][ordinal - 1] = TenantRecords.execution(text)
            } else {
                try each(ordinal - 1, TenantRecords(set: set, sealed: sets[set] ?? [:], own: row[3].text))
            }
        }
    }

    /// How many tenants of the scope have something that is not done: guarantee 6 asks this before exit 0.
    package func countUnsettled(in scope: LedgerScope) throws(DatabaseError) -> Int {
        guard !scope.tenants.isEmpty, !scope.members.isEmpty else { return 0 }
        let pending = unsettled(scope, first: 2)
        return try row("\(pending.sql) select count(*) from u", [.text(workspace)] + pending.parameters)?[0].integer
            ?? 0
    }

    /// What is on record of one tenant (or, with an empty name, of the workspace).
    package func recorded(
        tenant: String, identities: [Identity]
    ) throws(DatabaseError) -> [Identity: RecordedExecution] {
        let records = try records(of: tenant)
        return Dictionary(
            Set(identities).compactMap { identity in records[identity].map { (identity, $0.execution) } },
            uniquingKeysWith: { $1 })
    }

    /// A truth value as `1`, `0` or `-`, alike in both engines.
    private static let cleanText = "case when e.clean is null then '-' when e.clean then '1' else '0' end"
}
