CREATE INDEX findings_lifecycle_idx ON findings (lifecycle_state, last_seen_at);
