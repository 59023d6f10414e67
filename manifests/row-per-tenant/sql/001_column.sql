ALTER TABLE public.invoices ADD COLUMN currency text;
