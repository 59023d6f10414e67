ALTER TABLE findings ADD COLUMN lifecycle text, ADD COLUMN first_seen_at timestamptz, ADD COLUMN owner text;
