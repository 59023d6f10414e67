-- Enforced: the notes of user 1 go with it.
DELETE FROM users WHERE id = 1;
