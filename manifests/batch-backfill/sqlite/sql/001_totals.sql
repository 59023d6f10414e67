UPDATE orders SET total = cents * quantity
WHERE id IN (SELECT id FROM orders WHERE id > coalesce(:cursor, 0) ORDER BY id LIMIT :limit)
RETURNING id AS cursor;
