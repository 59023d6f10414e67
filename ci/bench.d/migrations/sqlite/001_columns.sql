ALTER TABLE findings ADD COLUMN lifecycle TEXT;
ALTER TABLE findings ADD COLUMN first_seen_at TEXT;
