DROP INDEX CONCURRENTLY IF EXISTS public.orders_placed_at_idx;
CREATE INDEX CONCURRENTLY orders_placed_at_idx ON public.orders (placed_at);
