-- Tenants before the deploy: a table that names them, and per tenant a schema with 40 findings and what up to four
-- scans saw of each. CALL public.create_tenants(n) makes the tenants tenant-0001 to n that are missing.
CREATE TABLE IF NOT EXISTS public.tenants (
    slug text PRIMARY KEY,
    schema_name text NOT NULL UNIQUE,
    plan text NOT NULL,
    region text NOT NULL,
    active boolean NOT NULL DEFAULT true
);

CREATE OR REPLACE PROCEDURE public.create_tenant(slug text, schema_name text, plan text, region text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SCHEMA %I', schema_name);
    PERFORM set_config('search_path', quote_ident(schema_name), true);

    CREATE TABLE findings (
        id bigint PRIMARY KEY,
        asset text NOT NULL,
        rule text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
        status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'fixed', 'accepted', 'false_positive')),
        created_at timestamptz NOT NULL,
        UNIQUE (asset, rule)
    );
    CREATE TABLE observations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        finding_id bigint NOT NULL REFERENCES findings (id),
        seen_at timestamptz NOT NULL,
        present boolean NOT NULL
    );
    CREATE INDEX observations_finding_idx ON observations (finding_id, seen_at);

    INSERT INTO findings (id, asset, rule, severity, status, created_at)
    SELECT n,
           'host-' || lpad((n % 8)::text, 2, '0'),
           'CVE-2026-' || 1000 + n,
           (ARRAY['low', 'medium', 'high', 'critical'])[n % 4 + 1],
           CASE WHEN n % 11 = 0 THEN 'false_positive' WHEN n % 9 = 0 THEN 'accepted' WHEN n % 7 = 0 THEN 'fixed'
                ELSE 'open' END,
           timestamptz '2026-01-01 00:00:00+00' + n * interval '1 hour'
      FROM generate_series(1, 40) AS n;

    -- Scan s looked at every finding whose number leaves a rest of at least s by 5, and missed some in the middle.
    INSERT INTO observations (finding_id, seen_at, present)
    SELECT f.id, f.created_at + s * interval '1 day', (f.id + s) % 6 <> 0
      FROM generate_series(1, 4) AS s JOIN findings AS f ON f.id % 5 >= s
     ORDER BY s, f.id;

    INSERT INTO public.tenants (slug, schema_name, plan, region) VALUES (slug, schema_name, plan, region);
END
$$;

CREATE OR REPLACE PROCEDURE public.create_tenants(number integer)
LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    FOR n IN 1..number LOOP
        name := 'tenant-' || lpad(n::text, 4, '0');
        IF NOT EXISTS (SELECT 1 FROM public.tenants WHERE slug = name) THEN
            CALL public.create_tenant(
                name, replace(name, '-', '_'), (ARRAY['internal', 'free', 'pro'])[n % 3 + 1],
                (ARRAY['eu', 'us'])[n % 2 + 1]);
            -- One transaction per tenant: all of them together would need more locks than a server has.
            COMMIT;
        END IF;
    END LOOP;
END
$$;
