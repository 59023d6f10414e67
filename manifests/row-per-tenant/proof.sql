SELECT customer, currency, count(*) FROM public.invoices GROUP BY customer, currency ORDER BY customer;
