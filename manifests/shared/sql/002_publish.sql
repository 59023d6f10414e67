-- The publication belongs to all tenants.
ALTER PUBLICATION all_orders ADD TABLE orders;
