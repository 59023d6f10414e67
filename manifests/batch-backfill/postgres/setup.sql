DO $$
BEGIN
    CREATE ROLE sample_batch NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

CREATE TABLE public.shops (slug text PRIMARY KEY);
CREATE TABLE public.orders (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop text NOT NULL REFERENCES public.shops (slug),
    cents bigint NOT NULL,
    quantity bigint NOT NULL,
    total bigint
);
CREATE TABLE public.carts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop text NOT NULL REFERENCES public.shops (slug),
    abandoned boolean NOT NULL
);
INSERT INTO public.shops VALUES ('acme'), ('globex'), ('initech');
INSERT INTO public.orders (shop, cents, quantity)
SELECT slug, n, n % 5 + 1 FROM generate_series(1, 2000) AS n, public.shops;
INSERT INTO public.carts (shop, abandoned) SELECT slug, n % 4 > 0 FROM generate_series(1, 400) AS n, public.shops;

ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.carts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON public.orders USING (shop = current_setting('app.shop', true));
CREATE POLICY own_rows ON public.carts USING (shop = current_setting('app.shop', true));
GRANT SELECT, UPDATE ON public.orders TO sample_batch;
GRANT SELECT, DELETE ON public.carts TO sample_batch;
