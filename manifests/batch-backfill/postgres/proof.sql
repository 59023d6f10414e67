SELECT shop, count(*), count(*) FILTER (WHERE total = cents * quantity) FROM public.orders GROUP BY shop ORDER BY shop;
SELECT shop, count(*), bool_or(abandoned) FROM public.carts GROUP BY shop ORDER BY shop;
SELECT tenant, runbook, rows_affected FROM muster.attempts ORDER BY tenant, runbook;
