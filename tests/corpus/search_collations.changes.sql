-- change: a brand
ALTER TABLE products ADD COLUMN brand text COLLATE natural_ci;
-- change: titles sort as German
ALTER TABLE translations ALTER COLUMN title TYPE text COLLATE german;
-- change: an index of another collation
CREATE INDEX products_name_posix ON products (name COLLATE "POSIX");
-- change: searches know the customer
ALTER TABLE searches ADD COLUMN customer_id bigint DEFAULT 0 NOT NULL;
-- change: similar finds more
CREATE OR REPLACE FUNCTION similar(q text) RETURNS SETOF products LANGUAGE sql STABLE ROWS 50 AS $$ SELECT * FROM products WHERE name % q ORDER BY similarity(name, q) DESC LIMIT 50 $$;
