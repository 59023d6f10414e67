\connect sample_acme
SELECT current_database(), count(placed_at), (SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_placed_at_idx'::regclass) FROM public.orders;
\connect sample_globex
SELECT current_database(), count(placed_at), (SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_placed_at_idx'::regclass) FROM public.orders;
