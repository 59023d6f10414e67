SELECT count(*) FROM orders WHERE total IS NULL;
