-- Style: a multilingual catalogue with accent-free search.
-- Exercises: ICU and nondeterministic collations, COLLATE in columns, indexes, views, checks and defaults, unaccent in
-- an immutable wrapper, text search dictionaries, pattern operator classes, fuzzystrmatch, C and POSIX collation.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;
CREATE COLLATION german (provider = icu, locale = 'de-DE');
CREATE COLLATION natural_ci (provider = icu, locale = 'und-u-kn-true-ks-level2', deterministic = false);
CREATE COLLATION plain_c FROM "C";
COMMENT ON COLLATION natural_ci IS 'Numbers in text by value, upper and lower case alike';
CREATE FUNCTION immutable_unaccent(t text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT public.unaccent('public.unaccent'::regdictionary, t) $$;
CREATE TEXT SEARCH DICTIONARY german_stem_2 (TEMPLATE = pg_catalog.snowball, LANGUAGE = german, STOPWORDS = german);
CREATE TEXT SEARCH CONFIGURATION catalogue (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION catalogue ALTER MAPPING FOR word, asciiword WITH german_stem_2;
CREATE TABLE languages (code varchar(5) COLLATE "C" PRIMARY KEY, name text COLLATE german NOT NULL);
CREATE TABLE products (sku text COLLATE natural_ci NOT NULL, ean char(13) COLLATE "POSIX", name text COLLATE german NOT NULL, description text, words tsvector GENERATED ALWAYS AS (to_tsvector('simple'::regconfig, coalesce(description, ''))) STORED, CONSTRAINT products_pkey PRIMARY KEY (sku), CONSTRAINT products_name CHECK (name > '' COLLATE "C"));
CREATE INDEX products_name_c ON products (name COLLATE "C" text_pattern_ops);
CREATE INDEX products_name_unaccent ON products (immutable_unaccent(lower(name)));
CREATE INDEX products_trgm ON products USING gist (description gist_trgm_ops (siglen = 32));
CREATE INDEX products_words ON products USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE UNIQUE INDEX products_ean ON products (ean bpchar_pattern_ops) WHERE ean IS NOT NULL;
CREATE TABLE translations (sku text COLLATE natural_ci NOT NULL REFERENCES products ON UPDATE CASCADE, lang varchar(5) COLLATE "C" NOT NULL REFERENCES languages, title text NOT NULL, PRIMARY KEY (sku, lang));
CREATE TABLE searches (at timestamptz NOT NULL, query text COLLATE "C" NOT NULL, lang varchar(5), results int NOT NULL DEFAULT 0);
SELECT create_hypertable('searches', 'at', chunk_time_interval => INTERVAL '1 week');
CREATE INDEX searches_query ON searches (query varchar_pattern_ops, at DESC);
CREATE VIEW product_list AS SELECT sku, name COLLATE "C" AS name_c, upper(name) AS upper_name FROM products ORDER BY name COLLATE german;
CREATE FUNCTION similar(q text) RETURNS SETOF products LANGUAGE sql STABLE ROWS 10 AS $$ SELECT * FROM products WHERE name % q OR levenshtein(left(name, 50), left(q, 50)) < 3 ORDER BY similarity(name, q) DESC LIMIT 10 $$;
INSERT INTO languages VALUES ('de', 'Deutsch'), ('en', 'English'), ('fr', 'Français');
INSERT INTO products (sku, name, description) SELECT 'Item' || n, 'Größe ' || n, 'Eine Beschreibung, die ' || n || ' Wörter hat' FROM generate_series(1, 25) n;
INSERT INTO translations SELECT 'item' || n, 'en', 'Size ' || n FROM generate_series(1, 25) n;
INSERT INTO searches SELECT '2026-01-01'::timestamptz + n * interval '4 hours', 'größe ' || n % 9, 'de', n FROM generate_series(1, 200) n;
ALTER TABLE searches SET (timescaledb.compress, timescaledb.compress_segmentby = 'lang', timescaledb.compress_orderby = 'at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('searches', older_than => '2026-01-20'::timestamptz) c;
