ALTER TABLE users ADD COLUMN logged_in_at TEXT;
