extension PostgresSchema {
    /// Version 2: what is finished may stand in a set that many tenants share.
    static let version2 = """
        create table {s}.sets (
            id bigint generated always as identity primary key,
            workspace text not null,
            digest text not null,
            unique (workspace, digest)
        );
        create table {s}.set_members (
            set_id bigint not null,
            runbook text not null,
            key text not null,
            state text not null check (state in ('succeeded', 'baselined')),
            checksum text not null,
            primary key (set_id, runbook, key)
        );
        create table {s}.sealed (
            workspace text not null,
            tenant text not null,
            set_id bigint not null,
            primary key (workspace, tenant)
        );
        alter table {s}.runs add column folded_at timestamptz;
        -- What it answers may change; a function cannot be replaced then.
        drop function if exists {s}.record(text, text, text, text, text, text, text, text);

        create view {s}.known as
            select workspace, tenant, runbook, key, state, clean, attempt, checksum, run_id, runner, finished_at
            from {s}.executions
            union all
            select s.workspace, s.tenant, x.runbook, x.key, x.state, null::boolean, coalesce(\(last("attempt")), 1),
                   x.checksum, \(lastRun), \(last("runner")), \(last("finished_at"))
            from {s}.sealed s join {s}.set_members x on x.set_id = s.set_id
            where not exists (
                select 1 from {s}.executions e where e.workspace = s.workspace and e.tenant = s.tenant
                    and e.runbook = x.runbook and e.key = x.key);
        create or replace view {s}.completed as
            select workspace, tenant, runbook, key, finished_at as completed_at, run_id, checksum
            from {s}.known where state in ('succeeded', 'baselined');
        create or replace view {s}.pending_by_tenant as
            select t.workspace, t.tenant, i.runbook, i.key, i.phase, coalesce(e.state, 'pending') as state,
                   w.seen_at as as_of
            from {s}.tenants t
            join {s}.workspaces w on w.workspace = t.workspace
            join {s}.identities i on i.workspace = t.workspace and i.scope = 'tenant' and i.gone_at is null
                and not exists (
                    select 1 from pg_catalog.jsonb_each(i.match) m
                    where not coalesce(m.value operator(pg_catalog.?) (t.labels operator(pg_catalog.->>) m.key), false))
            left join {s}.executions e on e.workspace = t.workspace and e.tenant = t.tenant
                and e.runbook = i.runbook and e.key = i.key
            left join {s}.sealed s on s.workspace = t.workspace and s.tenant = t.tenant
            left join {s}.set_members x on x.set_id = s.set_id and x.runbook = i.runbook and x.key = i.key
            where t.gone_at is null
                and coalesce(e.state, x.state, 'pending') not in ('succeeded', 'baselined');
        """

    private static let finished = """
        {s}.attempts a where a.workspace = s.workspace and a.tenant = s.tenant and a.runbook = x.runbook
         and a.key = x.key and a.state in ('succeeded', 'baselined')
        """

    /// Of the attempt that finished a member of a set; a query of its own, so that who does not ask does not pay.
    private static func last(_ column: String) -> String {
        "(select a.\(column) from \(finished) order by a.id desc limit 1)"
    }

    /// The run that a member was finished in, or that came before a person declared it done.
    private static let lastRun = """
        (select b.run_id from {s}.attempts b where b.workspace = s.workspace and b.tenant = s.tenant
         and b.runbook = x.runbook and b.key = x.key and b.run_id is not null
         and b.id <= (select max(a.id) from \(finished))
         order by b.id desc limit 1)
        """
}
