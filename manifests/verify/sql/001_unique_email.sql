-- The lowest id of each address stays.
DELETE FROM users WHERE id NOT IN (SELECT min(id) FROM users GROUP BY lower(email));
CREATE UNIQUE INDEX users_email_key ON users (lower(email));
