extension PostgresSchema {
    /// What failures have in common, so that a run can stop at many that are alike.
    static let rollout = """
        alter table {s}.jobs add column cause text;
        create index jobs_failed on {s}.jobs (run_id) where state in ('failed', 'unknown');
        """
}
