SELECT count(*) FILTER (WHERE currency IS NULL) = 0 FROM invoices
