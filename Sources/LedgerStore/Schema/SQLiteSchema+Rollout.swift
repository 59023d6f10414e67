extension SQLiteSchema {
    /// The same as in PostgreSQL.
    static let rollout = """
        alter table muster_jobs add column cause text;
        alter table muster_jobs add column wave text;
        alter table muster_runs add column gate_runner text;
        alter table muster_runners add column connections integer not null default 0;
        create index muster_jobs_failed on muster_jobs (run_id) where state in ('failed', 'unknown');
        """
}
