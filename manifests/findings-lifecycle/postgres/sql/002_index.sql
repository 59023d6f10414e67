-- A build that was interrupted leaves an invalid index behind, which IF NOT EXISTS would take for a good one.
DROP INDEX CONCURRENTLY IF EXISTS findings_lifecycle_idx;
CREATE INDEX CONCURRENTLY findings_lifecycle_idx ON findings (lifecycle_state, last_seen_at);
