-- True: wait. Here, while somebody has waited for a lock for more than a second.
SELECT EXISTS (
    SELECT 1 FROM pg_catalog.pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = pg_catalog.current_database()
      AND state_change < pg_catalog.now() - interval '1 second');
