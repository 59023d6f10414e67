ALTER TABLE public.orders ADD COLUMN placed_at timestamptz NOT NULL DEFAULT now();
