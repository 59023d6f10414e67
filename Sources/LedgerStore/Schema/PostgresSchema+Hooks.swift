extension PostgresSchema {
    /// Hooks around runs and tenants: whether a run's last ones are still to be started, and how each stands.
    static let hooks = """
        alter table {s}.runs add column hooks_due boolean not null default false;
        create index runs_hooks_due on {s}.runs (workspace, identity) where hooks_due;
        create table {s}.hooks (
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
            process_group bigint,
            process_start text,
            time_limit_ms bigint,
            started_at timestamptz not null default clock_timestamp(),
            finished_at timestamptz,
            primary key (run_id, hook, tenant)
        );
        create index hooks_running on {s}.hooks (run_id, runner) where state = 'running';
        """
}
