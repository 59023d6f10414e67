/// Version 1 of the ledger in SQLite: the same tables and views with the prefix `muster_`. Times are RFC 3339 texts in UTC.
enum SQLiteSchema {
    static let version1 = """
        create table muster_ledger (
            singleton integer primary key default 1 check (singleton = 1),
            version integer not null,
            created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            upgraded_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
        );
        insert into muster_ledger (version) values (1);
        create table muster_fence (singleton integer primary key check (singleton = 1), value integer not null);
        insert into muster_fence values (1, 0);
        create table muster_workspaces (
            workspace text primary key,
            tenant_count integer not null,
            seen_at text not null
        );
        create table muster_tenants (
            workspace text not null,
            tenant text not null,
            labels text not null default '{}',
            seen_at text not null,
            gone_at text,
            primary key (workspace, tenant)
        );
        create table muster_identities (
            workspace text not null,
            runbook text not null,
            key text not null,
            checksum text not null,
            title text,
            phase text not null,
            scope text not null check (scope in ('tenant', 'workspace')),
            match text not null default '{}',
            position integer not null,
            seen_at text not null,
            gone_at text,
            primary key (workspace, runbook, key)
        );
        create table muster_runs (
            id text primary key,
            workspace text not null,
            identity text not null,
            phase text,
            selection text not null,
            status text not null check (status in ('queued', 'running', 'completed')),
            outcome text check (outcome in ('succeeded', 'partially_succeeded', 'failed', 'blocked', 'cancelled')),
            stage integer not null default 0,
            stages integer not null,
            already_done integer not null default 0,
            total integer,
            processed integer,
            succeeded integer,
            skipped integer,
            failed integer,
            blocked integer,
            unknown integer,
            cancelled integer,
            manifest_digest text not null,
            manifest text not null,
            release text,
            revision text,
            door text not null,
            initiator_kind text not null,
            initiator_name text not null,
            initiator_url text,
            stop_reason text,
            started_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            finished_at text
        );
        create unique index muster_runs_open on muster_runs (workspace, identity) where status <> 'completed';
        create index muster_runs_started on muster_runs (workspace, started_at);
        create table muster_runners (
            id text primary key,
            run_id text not null,
            host text not null,
            pid integer not null,
            started_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            heartbeat_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            ended_at text
        );
        create index muster_runners_run on muster_runners (run_id);
        create table muster_jobs (
            run_id text not null,
            tenant text not null,
            position integer not null,
            stage integer not null,
            state text not null check (state in
                ('queued', 'running', 'succeeded', 'skipped', 'failed', 'blocked', 'unknown', 'cancelled')),
            reason text check (reason in ('after', 'lock', 'stopped')),
            drifted integer not null default 0,
            message text,
            runner text,
            attempt integer not null default 0,
            fence integer,
            claimed_at text,
            finished_at text,
            primary key (run_id, tenant)
        );
        create index muster_jobs_queue on muster_jobs (run_id, stage, position) where state = 'queued';
        create index muster_jobs_running on muster_jobs (run_id, runner) where state = 'running';
        create table muster_executions (
            workspace text not null,
            tenant text not null,
            runbook text not null,
            key text not null,
            state text not null check (state in
                ('running', 'succeeded', 'failed', 'unknown', 'baselined', 'rolled_back')),
            clean integer,
            attempt integer not null,
            checksum text not null,
            run_id text,
            runner text,
            started_at text,
            finished_at text,
            rows_affected integer,
            sqlstate text,
            message text,
            detail text,
            hint text,
            file text,
            line integer,
            statement text,
            host text,
            process_group integer,
            process_start text,
            time_limit_ms integer,
            backend_pid integer,
            backend_start text,
            primary key (workspace, tenant, runbook, key)
        );
        create index muster_executions_open on muster_executions (workspace, runbook, key)
            where state not in ('succeeded', 'baselined');
        create table muster_attempts (
            id integer primary key autoincrement,
            workspace text not null,
            tenant text not null,
            runbook text not null,
            key text not null,
            attempt integer not null,
            run_id text,
            runner text,
            state text not null,
            clean integer,
            checksum text not null,
            started_at text,
            finished_at text,
            duration_ms integer,
            rows_affected integer,
            sqlstate text,
            message text,
            detail text,
            hint text,
            file text,
            line integer,
            statement text,
            output text
        );
        create index muster_attempts_run on muster_attempts (run_id, runbook, key);
        create index muster_attempts_tenant on muster_attempts (workspace, tenant, runbook, key);
        create table muster_events (
            id integer primary key autoincrement,
            at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
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
        create index muster_events_run on muster_events (run_id);

        create view muster_completed as
            select workspace, tenant, runbook, key, finished_at as completed_at, run_id, checksum
            from muster_executions where state in ('succeeded', 'baselined');
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
            where t.gone_at is null and coalesce(e.state, 'pending') not in ('succeeded', 'baselined');
        create view muster_run_summary as
            select r.workspace, r.id as run_id, r.phase, r.status, r.outcome,
                   coalesce(r.total, r.already_done + count(j.tenant)) as total,
                   coalesce(r.processed, r.already_done
                       + count(j.tenant) filter (where j.state not in ('queued', 'running'))) as processed,
                   coalesce(r.succeeded, count(j.tenant) filter (where j.state = 'succeeded')) as succeeded,
                   coalesce(r.skipped, r.already_done
                       + count(j.tenant) filter (where j.state = 'skipped')) as skipped,
                   coalesce(r.failed, count(j.tenant) filter (where j.state = 'failed')) as failed,
                   coalesce(r.blocked, count(j.tenant) filter (where j.state = 'blocked')) as blocked,
                   coalesce(r.unknown, count(j.tenant) filter (where j.state = 'unknown')) as unknown,
                   coalesce(r.cancelled, count(j.tenant) filter (where j.state = 'cancelled')) as cancelled,
                   r.release, r.revision, r.door, r.initiator_kind, r.initiator_name, r.initiator_url,
                   r.stop_reason, r.started_at, r.finished_at
            from muster_runs r
            left join muster_jobs j on j.run_id = r.id and j.tenant <> '' and r.status <> 'completed' group by r.id;
        create view muster_failures as
            select workspace, tenant, runbook, key, state, clean, attempt, sqlstate, message, detail, hint, file, line,
                   statement, run_id, started_at, finished_at
            from muster_executions where state in ('failed', 'unknown');
        """
}
