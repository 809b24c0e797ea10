-- Style: a log and trace store with full text search.
-- Exercises: contrib extensions (pg_trgm, btree_gin), GIN and BRIN indexes with options, generated tsvector, jsonb
-- paths, tsdb.hypertable on timestamptz, expression index, text search configuration of one's own, UNLOGGED table.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS btree_gin;
CREATE TEXT SEARCH CONFIGURATION log_words (COPY = pg_catalog.simple);
CREATE TABLE services (id smallserial PRIMARY KEY, name text NOT NULL UNIQUE, owner_team text NOT NULL DEFAULT 'platform', labels jsonb NOT NULL DEFAULT '{}'::jsonb);
CREATE INDEX services_labels_idx ON services USING gin (labels jsonb_path_ops);
CREATE TABLE logs (ts timestamptz NOT NULL, service_id smallint NOT NULL, level text NOT NULL DEFAULT 'info', message text NOT NULL, attributes jsonb,
    trace_id bytea, host inet, CONSTRAINT logs_level_check CHECK (level = ANY (ARRAY['debug', 'info', 'warn', 'error', 'fatal'])));
SELECT create_hypertable('logs', by_range('ts', INTERVAL '1 day'));
CREATE INDEX logs_service_ts_idx ON logs (service_id, ts DESC);
CREATE INDEX logs_message_trgm ON logs USING gin (message gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX logs_attributes_idx ON logs USING gin (attributes jsonb_path_ops);
CREATE INDEX logs_errors_idx ON logs (ts DESC, service_id) WHERE level IN ('error', 'fatal');
CREATE INDEX logs_host_brin ON logs USING brin (host inet_minmax_ops) WITH (pages_per_range = 16);
CREATE TABLE spans (start_time timestamptz NOT NULL, end_time timestamptz NOT NULL, trace_id uuid NOT NULL, span_id bigint NOT NULL, parent_span_id bigint,
    name text NOT NULL, duration_ms double precision GENERATED ALWAYS AS (extract(epoch FROM end_time - start_time) * 1000) STORED, PRIMARY KEY (span_id, trace_id, start_time));
SELECT create_hypertable('spans', by_range('start_time', INTERVAL '1 hour'));
CREATE TABLE saved_searches (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), title text NOT NULL, query text NOT NULL,
    document tsvector GENERATED ALWAYS AS (to_tsvector('english'::regconfig, title || ' ' || query)) STORED, created_at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE INDEX saved_searches_document_idx ON saved_searches USING gin (document);
CREATE UNLOGGED TABLE ingest_buffer (seq bigint GENERATED ALWAYS AS IDENTITY, line text STORAGE EXTERNAL, PRIMARY KEY (seq));
CREATE FUNCTION severity(level text) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
    $$ SELECT CASE level WHEN 'debug' THEN 0 WHEN 'info' THEN 1 WHEN 'warn' THEN 2 WHEN 'error' THEN 3 ELSE 4 END $$;
CREATE INDEX logs_severity_idx ON logs (severity(level), ts);
INSERT INTO services (name, labels) SELECT 'svc-' || n, jsonb_build_object('tier', n % 3) FROM generate_series(1, 6) n;
INSERT INTO logs SELECT '2026-01-01'::timestamptz + n * interval '20 min', 1 + n % 6, (ARRAY['debug', 'info', 'warn', 'error'])[1 + n % 4], 'request ' || n || ' took ' || n % 90 || ' ms',
    jsonb_build_object('n', n), decode(md5(n::text), 'hex'), ('10.0.0.' || n % 250)::inet FROM generate_series(1, 300) n;
INSERT INTO spans SELECT '2026-01-01'::timestamptz + n * interval '1 min', '2026-01-01'::timestamptz + n * interval '1 min' + interval '250 ms', md5((n / 5)::text)::uuid, n, nullif(n - 1, 0), 'GET /' FROM generate_series(1, 200) n;
INSERT INTO saved_searches (title, query) SELECT 'search ' || n, 'level:error' FROM generate_series(1, 10) n;
ALTER TABLE logs SET (timescaledb.compress, timescaledb.compress_segmentby = 'service_id, level', timescaledb.compress_orderby = 'ts DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('logs', older_than => '2026-01-03'::timestamptz) c;
SELECT add_compression_policy('logs', INTERVAL '2 days');
SELECT add_retention_policy('logs', INTERVAL '30 days'), add_retention_policy('spans', INTERVAL '3 days');
