-- `rows` counts the rows of the page, not those that changed: a page without a change is not the end.
WITH page AS (
    SELECT id FROM orders WHERE id > coalesce(:cursor::bigint, 0) ORDER BY id LIMIT :limit
), done AS (
    UPDATE orders SET total = orders.cents * orders.quantity FROM page
    WHERE orders.id = page.id AND orders.total IS NULL
)
SELECT max(id) AS cursor, count(*) AS rows FROM page;
