/// Version 1 of the ledger in PostgreSQL. `{s}` stands for the quoted schema.
enum PostgresSchema {
    static let version1 = """
        create table {s}.ledger (
            singleton boolean primary key default true check (singleton),
            version integer not null,
            created_at timestamptz not null default now(),
            upgraded_at timestamptz not null default now()
        );
        insert into {s}.ledger (version) values (1);
        create sequence {s}.fence;
        create table {s}.workspaces (
            workspace text primary key,
            tenant_count bigint not null,
            seen_at timestamptz not null
        );
        create table {s}.tenants (
            workspace text not null,
            tenant text not null,
            labels jsonb not null default '{}',
            seen_at timestamptz not null,
            gone_at timestamptz,
            primary key (workspace, tenant)
        );
        create table {s}.identities (
            workspace text not null,
            runbook text not null,
            key text not null,
            checksum text not null,
            title text,
            phase text not null,
            scope text not null check (scope in ('tenant', 'workspace')),
            match jsonb not null default '{}',
            position integer not null,
            seen_at timestamptz not null,
            gone_at timestamptz,
            primary key (workspace, runbook, key)
        );
        create table {s}.runs (
            id text primary key,
            workspace text not null,
            identity text not null,
            phase text,
            selection text not null,
            status text not null check (status in ('queued', 'running', 'completed')),
            outcome text check (outcome in ('succeeded', 'partially_succeeded', 'failed', 'blocked', 'cancelled')),
            stage integer not null default 0,
            stages integer not null,
            already_done bigint not null default 0,
            total bigint,
            processed bigint,
            succeeded bigint,
            skipped bigint,
            failed bigint,
            blocked bigint,
            unknown bigint,
            cancelled bigint,
            manifest_digest text not null,
            manifest text not null,
            release text,
            revision text,
            door text not null,
            initiator_kind text not null,
            initiator_name text not null,
            initiator_url text,
            stop_reason text,
            started_at timestamptz not null default now(),
            finished_at timestamptz
        );
        create unique index runs_open on {s}.runs (workspace, identity) where status <> 'completed';
        create index runs_started on {s}.runs (workspace, started_at);
        create table {s}.runners (
            id text primary key,
            run_id text not null,
            host text not null,
            pid bigint not null,
            lock_key bigint,
            started_at timestamptz not null default now(),
            heartbeat_at timestamptz not null default now(),
            ended_at timestamptz
        );
        create index runners_run on {s}.runners (run_id);
        create table {s}.jobs (
            run_id text not null,
            tenant text not null,
            position bigint not null,
            stage integer not null,
            state text not null check (state in
                ('queued', 'running', 'succeeded', 'skipped', 'failed', 'blocked', 'unknown', 'cancelled')),
            reason text check (reason in ('after', 'lock', 'stopped')),
            drifted boolean not null default false,
            message text,
            runner text,
            attempt integer not null default 0,
            fence bigint,
            claimed_at timestamptz,
            finished_at timestamptz,
            primary key (run_id, tenant)
        );
        create index jobs_queue on {s}.jobs (run_id, stage, position) where state = 'queued';
        create index jobs_running on {s}.jobs (run_id, runner) where state = 'running';
        create table {s}.executions (
            workspace text not null,
            tenant text not null,
            runbook text not null,
            key text not null,
            state text not null check (state in
                ('running', 'succeeded', 'failed', 'unknown', 'baselined', 'rolled_back')),
            clean boolean,
            attempt integer not null,
            checksum text not null,
            run_id text,
            runner text,
            started_at timestamptz,
            finished_at timestamptz,
            rows_affected bigint,
            sqlstate text,
            message text,
            detail text,
            hint text,
            file text,
            line integer,
            statement text,
            host text,
            process_group bigint,
            process_start text,
            time_limit_ms bigint,
            backend_pid integer,
            backend_start timestamptz,
            primary key (workspace, tenant, runbook, key)
        );
        create index executions_open on {s}.executions (workspace, runbook, key)
            where state not in ('succeeded', 'baselined');
        create table {s}.attempts (
            id bigint generated always as identity primary key,
            workspace text not null,
            tenant text not null,
            runbook text not null,
            key text not null,
            attempt integer not null,
            run_id text,
            runner text,
            state text not null,
            clean boolean,
            checksum text not null,
            started_at timestamptz,
            finished_at timestamptz,
            duration_ms bigint,
            rows_affected bigint,
            sqlstate text,
            message text,
            detail text,
            hint text,
            file text,
            line integer,
            statement text,
            output text
        );
        create index attempts_run on {s}.attempts (run_id, runbook, key);
        create index attempts_tenant on {s}.attempts (workspace, tenant, runbook, key);
        create table {s}.events (
            id bigint generated always as identity primary key,
            at timestamptz not null default now(),
            workspace text not null,
            run_id text,
            tenant text,
            runbook text,
            key text,
            kind text not null,
            actor text,
            reason text,
            detail text
        );
        create index events_run on {s}.events (run_id);

        create view {s}.completed as
            select workspace, tenant, runbook, key, finished_at as completed_at, run_id, checksum
            from {s}.executions where state in ('succeeded', 'baselined');
        create view {s}.pending_by_tenant as
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
            where t.gone_at is null and coalesce(e.state, 'pending') not in ('succeeded', 'baselined');
        create view {s}.run_summary as
            select r.workspace, r.id as run_id, r.phase, r.status, r.outcome,
                   coalesce(r.total, r.already_done + j.total) as total,
                   coalesce(r.processed, r.already_done + j.processed) as processed,
                   coalesce(r.succeeded, j.succeeded) as succeeded,
                   coalesce(r.skipped, r.already_done + j.skipped) as skipped,
                   coalesce(r.failed, j.failed) as failed,
                   coalesce(r.blocked, j.blocked) as blocked,
                   coalesce(r.unknown, j.unknown) as unknown,
                   coalesce(r.cancelled, j.cancelled) as cancelled,
                   r.release, r.revision, r.door, r.initiator_kind, r.initiator_name, r.initiator_url,
                   r.stop_reason, r.started_at, r.finished_at
            from {s}.runs r
            cross join lateral (
                select count(*) as total,
                       count(*) filter (where state not in ('queued', 'running')) as processed,
                       count(*) filter (where state = 'succeeded') as succeeded,
                       count(*) filter (where state = 'skipped') as skipped,
                       count(*) filter (where state = 'failed') as failed,
                       count(*) filter (where state = 'blocked') as blocked,
                       count(*) filter (where state = 'unknown') as unknown,
                       count(*) filter (where state = 'cancelled') as cancelled
                from {s}.jobs where run_id = r.id and tenant <> '' and r.status <> 'completed') j;
        create view {s}.failures as
            select workspace, tenant, runbook, key, state, clean, attempt, sqlstate, message, detail, hint, file, line,
                   statement, run_id, started_at, finished_at
            from {s}.executions where state in ('failed', 'unknown');
        """
}
