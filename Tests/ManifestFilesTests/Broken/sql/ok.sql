UPDATE findings SET state = 'open' WHERE state IS NULL;
