package import DatabaseAccess
package import RunbookModel

extension Ledger {
    /// The same as in `unsettled`, for a scope that is to be undone: `u` holds the tenants in which something of it may be
    /// there. What fits in the tenant's set counts, and each of its own rows in the place of what it stands before.
    var undone: String {
        """
        \(coverage),
        v(cohort, set_id, n) as (select cohort, set_id, count(*) from k group by cohort, set_id),
        d(id, n) as (
            select t.id, sum(case when \(LedgerSQL.mayNeedUndo("e.state", clean: "e.clean")) then 1 else 0 end
                - case when k.ord is not null then 1 else 0 end)
            \(ownRows) group by t.id),
        u as (
            select t.*, s.set_id from t
            left join \(sql.sealed) s on s.workspace = $1 and s.tenant = t.id
            left join v on v.cohort = t.cohort and v.set_id = s.set_id
            left join d on d.id = t.id
            where coalesce(v.n, 0) + coalesce(d.n, 0) > 0)
        """
    }

    /// What one run has finished, or its backfills have begun, and nobody has finished again since: tenant (empty for the
    /// workspace) and identity, in no order.
    ///
    /// It is read from the history, too: what is sealed has no row of its own, and what an undo has tried in vain bears
    /// another run.
    package func finished(
        byRun run: String, _ each: (String, Identity) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        let key = { (other: String) in
            "\(other).workspace = a.workspace and \(other).tenant = a.tenant and \(other).runbook = a.runbook"
                + " and \(other).key = a.key"
        }
        try query(
            """
            select e.tenant, e.runbook, e.key from \(sql.executions) e
            where e.workspace = $1 and e.run_id = $2
                and (e.state = 'succeeded' or e.batches is not null and e.state <> 'rolled_back')
            union
            select a.tenant, a.runbook, a.key from \(sql.attempts) a
            where a.workspace = $1 and a.run_id = $2 and a.state = 'succeeded' and not exists (
                select 1 from \(sql.attempts) b where \(key("b")) and b.id > a.id
                    and b.state in ('succeeded', 'baselined', 'rolled_back'))
                and not exists (
                select 1 from \(sql.executions) e join \(sql.runs) r on r.id = e.run_id
                where \(key("e")) and e.run_id <> a.run_id and r.kind = 'apply')
            """, [.text(workspace), .text(run)]
        ) { row throws(DatabaseError) in
            try each(row[0].text ?? "", Identity(runbook: row[1].text ?? "", key: row[2].text ?? ""))
        }
    }
}
