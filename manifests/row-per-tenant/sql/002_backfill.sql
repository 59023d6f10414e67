-- No WHERE on the tenant: the policy on invoices and customers adds it.
UPDATE invoices SET currency = (SELECT currency FROM customers) WHERE currency IS NULL;
