UPDATE users SET name_key = lower(name)
WHERE id IN (SELECT id FROM users WHERE name_key IS NULL AND name IS NOT NULL LIMIT :limit)
