-- The author wraps it, as in other tools.
BEGIN;
UPDATE findings SET state = 'open';
COMMIT;
