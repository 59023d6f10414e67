extension SQLiteSchema {
    /// The same as in PostgreSQL.
    static let hooks = """
        alter table muster_runs add column hooks_due integer not null default 0;
        create index muster_runs_hooks_due on muster_runs (workspace, identity) where hooks_due;
        create table muster_hooks (
            run_id text not null,
            hook text not null,
            tenant text not null default '',
            state text not null check (state in ('running', 'succeeded', 'failed', 'interrupted')),
            attempt integer not null,
            exit_code integer,
            message text,
            output text,
            runner text,
            host text,
            process_group integer,
            process_start text,
            time_limit_ms integer,
            started_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
            finished_at text,
            primary key (run_id, hook, tenant)
        ) without rowid;
        create index muster_hooks_running on muster_hooks (run_id, runner) where state = 'running';
        """
}
