extension LedgerSQL {
    /// Copies finished members of sets into `executions`, where alone a record changes: a row there stands before the
    /// member. To be run before whatever may write such a record, in the same transaction.
    ///
    /// - Parameters:
    ///   - wanted: a relation `(tenant, runbook, key)`.
    ///   - workspace: an expression.
    static func lift(
        _ wanted: String, workspace: String, ordered: String, _ name: (String) -> String
    ) -> String {
        """
        insert into \(name("executions")) (workspace, tenant, runbook, key, state, attempt, checksum, run_id, runner,
            started_at, finished_at, rows_affected)
        select s.workspace, s.tenant, x.runbook, x.key, x.state, coalesce(a.attempt, 1), x.checksum, (
                select r.run_id from \(name("attempts")) r where r.workspace = s.workspace and r.tenant = s.tenant
                    and r.runbook = x.runbook and r.key = x.key and r.run_id is not null and r.id <= a.id
                order by r.id desc limit 1),
            a.runner, a.started_at, a.finished_at, a.rows_affected
        from \(wanted) as y
        \(ordered) \(name("sealed")) s on s.workspace = \(workspace) and s.tenant = y.tenant
        \(ordered) \(name("set_members")) x on x.set_id = s.set_id and x.runbook = y.runbook and x.key = y.key
        left join \(name("attempts")) a on a.id = (
            select max(b.id) from \(name("attempts")) b where b.workspace = s.workspace and b.tenant = s.tenant
                and b.runbook = x.runbook and b.key = x.key and b.state in \(done))
        where true
        on conflict (workspace, tenant, runbook, key) do nothing
        """
    }

    /// The same; the workspace is the first parameter.
    func lift(_ wanted: String) -> String { Self.lift(wanted, workspace: "$1", ordered: ordered, name) }
}
