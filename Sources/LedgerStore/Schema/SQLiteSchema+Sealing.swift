extension SQLiteSchema {
    /// Version 2: what is finished may stand in a set that many tenants share.
    static let version2 = """
        create table muster_sets (
            id integer primary key autoincrement,
            workspace text not null,
            digest text not null,
            unique (workspace, digest)
        );
        create table muster_set_members (
            set_id integer not null,
            runbook text not null,
            key text not null,
            state text not null check (state in ('succeeded', 'baselined')),
            checksum text not null,
            primary key (set_id, runbook, key)
        ) without rowid;
        create table muster_sealed (
            workspace text not null,
            tenant text not null,
            set_id integer not null,
            primary key (workspace, tenant)
        ) without rowid;
        alter table muster_runs add column folded_at text;

        create view muster_known as
            select workspace, tenant, runbook, key, state, clean, attempt, checksum, run_id, runner, finished_at
            from muster_executions
            union all
            select s.workspace, s.tenant, x.runbook, x.key, x.state, null, coalesce(\(last("attempt")), 1),
                   x.checksum, \(lastRun), \(last("runner")), \(last("finished_at"))
            from muster_sealed s join muster_set_members x on x.set_id = s.set_id
            where not exists (
                select 1 from muster_executions e where e.workspace = s.workspace and e.tenant = s.tenant
                    and e.runbook = x.runbook and e.key = x.key);
        drop view muster_completed;
        create view muster_completed as
            select workspace, tenant, runbook, key, finished_at as completed_at, run_id, checksum
            from muster_known where state in ('succeeded', 'baselined');
        drop view muster_pending_by_tenant;
        create view muster_pending_by_tenant as
            select t.workspace, t.tenant, i.runbook, i.key, i.phase, coalesce(e.state, 'pending') as state,
                   w.seen_at as as_of
            from muster_tenants t
            join muster_workspaces w on w.workspace = t.workspace
            join muster_identities i on i.workspace = t.workspace and i.scope = 'tenant' and i.gone_at is null
                and not exists (
                    select 1 from json_each(i.match) m
                    where not exists (
                        select 1 from json_each(m.value) v join json_each(t.labels) l on l.key = m.key
                        where v.value = l.value))
            left join muster_executions e on e.workspace = t.workspace and e.tenant = t.tenant
                and e.runbook = i.runbook and e.key = i.key
            left join muster_sealed s on s.workspace = t.workspace and s.tenant = t.tenant
            left join muster_set_members x on x.set_id = s.set_id and x.runbook = i.runbook and x.key = i.key
            where t.gone_at is null
                and coalesce(e.state, x.state, 'pending') not in ('succeeded', 'baselined');
        """

    private static let finished = """
        muster_attempts a where a.workspace = s.workspace and a.tenant = s.tenant and a.runbook = x.runbook
         and a.key = x.key and a.state in ('succeeded', 'baselined')
        """

    /// Of the attempt that finished a member of a set; a query of its own, so that who does not ask does not pay.
    private static func last(_ column: String) -> String {
        "(select a.\(column) from \(finished) order by a.id desc limit 1)"
    }

    /// The run that a member was finished in, or that came before a person declared it done.
    private static let lastRun = """
        (select b.run_id from muster_attempts b where b.workspace = s.workspace and b.tenant = s.tenant
         and b.runbook = x.runbook and b.key = x.key and b.run_id is not null
         and b.id <= (select max(a.id) from \(finished))
         order by b.id desc limit 1)
        """
}
