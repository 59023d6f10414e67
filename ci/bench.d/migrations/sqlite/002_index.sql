CREATE INDEX findings_lifecycle ON findings (lifecycle, first_seen_at);
