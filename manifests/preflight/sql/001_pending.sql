SELECT count(*) FROM orders WHERE currency IS NULL
