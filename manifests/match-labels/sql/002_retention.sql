ALTER TABLE audit ADD COLUMN keep_until TEXT;
