-- Adding a column without a default rewrites nothing: the table keeps its rows as they are.
ALTER TABLE findings ADD COLUMN lifecycle_state TEXT
    CHECK (lifecycle_state IN ('new', 'active', 'reopened', 'resolved', 'suppressed'));
ALTER TABLE findings ADD COLUMN first_seen_at TEXT;
ALTER TABLE findings ADD COLUMN last_seen_at TEXT;
