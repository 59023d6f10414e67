-- psql: \connect moves on to the database just created.
DROP DATABASE IF EXISTS sample_acme;
CREATE DATABASE sample_acme;
DROP DATABASE IF EXISTS sample_globex;
CREATE DATABASE sample_globex;
\connect sample_acme
CREATE TABLE public.orders (id bigint PRIMARY KEY);
INSERT INTO public.orders SELECT generate_series(1, 10);
\connect sample_globex
CREATE TABLE public.orders (id bigint PRIMARY KEY);
INSERT INTO public.orders SELECT generate_series(1, 20);
