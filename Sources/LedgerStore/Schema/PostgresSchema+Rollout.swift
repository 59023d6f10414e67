extension PostgresSchema {
    /// What failures have in common, so that a run can stop at many that are alike; waves, and who asks the gate between
    /// two of them; what each runner holds of `per_server`.
    static let rollout = """
        alter table {s}.jobs add column cause text;
        alter table {s}.jobs add column wave text;
        alter table {s}.runs add column gate_runner text;
        alter table {s}.runners add column connections integer not null default 0;
        create index jobs_failed on {s}.jobs (run_id) where state in ('failed', 'unknown');
        """
}
