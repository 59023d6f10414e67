CREATE TABLE orders (id bigint PRIMARY KEY, cents bigint NOT NULL, placed_at timestamptz NOT NULL DEFAULT now());
