-- Columns without a default: no rewrite, the exclusive lock is held for a moment. The check is validated in a step of
-- its own, which lets writers go on.
ALTER TABLE findings
    ADD COLUMN lifecycle_state text,
    ADD COLUMN first_seen_at timestamptz,
    ADD COLUMN last_seen_at timestamptz,
    ADD CONSTRAINT findings_lifecycle_state_check
        CHECK (lifecycle_state IN ('new', 'active', 'reopened', 'resolved', 'suppressed')) NOT VALID;
ALTER TABLE findings VALIDATE CONSTRAINT findings_lifecycle_state_check;
