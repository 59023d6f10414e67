DO $$
BEGIN
    CREATE ROLE sample_migrator NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$;

CREATE TABLE public.customers (slug text PRIMARY KEY, currency text NOT NULL);
CREATE TABLE public.invoices (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer text NOT NULL REFERENCES public.customers (slug),
    cents bigint NOT NULL
);
INSERT INTO public.customers VALUES ('acme', 'EUR'), ('globex', 'USD'), ('initech', 'GBP');
INSERT INTO public.invoices (customer, cents)
SELECT slug, n * 100 FROM public.customers, generate_series(1, 20) AS n;

ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON public.customers USING (slug = current_setting('app.tenant_id', true));
CREATE POLICY own_rows ON public.invoices USING (customer = current_setting('app.tenant_id', true));
GRANT SELECT ON public.customers TO sample_migrator;
GRANT SELECT, UPDATE ON public.invoices TO sample_migrator;
