-- True when no finding is left without a state or a time.
SELECT NOT EXISTS (
    SELECT 1 FROM findings WHERE lifecycle_state IS NULL OR first_seen_at IS NULL OR last_seen_at IS NULL
)
