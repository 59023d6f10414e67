DELETE FROM carts WHERE id IN (SELECT id FROM carts WHERE abandoned LIMIT :limit);
