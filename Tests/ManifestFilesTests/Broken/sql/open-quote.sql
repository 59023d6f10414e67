UPDATE findings
SET state = 'open;
