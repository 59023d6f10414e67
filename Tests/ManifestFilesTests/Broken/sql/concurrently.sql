CREATE INDEX CONCURRENTLY findings_state ON findings (state);
