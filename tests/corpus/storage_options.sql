-- Style: a tuned database of a DBA who sets every knob.
-- Exercises: fillfactor and autovacuum options of tables, toast options, index options, STORAGE, COMPRESSION, statistics
-- targets, extended statistics with expressions, REPLICA IDENTITY, CLUSTER, UNLOGGED, parallel_workers, hypertable options.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE hot_rows (id bigint PRIMARY KEY WITH (fillfactor = 60), n bigint NOT NULL DEFAULT 0, name text, payload text STORAGE EXTERNAL COMPRESSION lz4, raw bytea STORAGE PLAIN) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 2, toast.autovacuum_enabled = false, parallel_workers = 2);
ALTER TABLE hot_rows ALTER COLUMN n SET STATISTICS 1000, ALTER COLUMN name SET (n_distinct = -0.5);
CREATE INDEX hot_rows_name ON hot_rows (name) WITH (fillfactor = 70, deduplicate_items = off);
CREATE INDEX hot_rows_name_lower ON hot_rows (lower(name), (n / 10));
ALTER INDEX hot_rows_name_lower ALTER COLUMN 1 SET STATISTICS 500;
CREATE TABLE wide (id int GENERATED ALWAYS AS IDENTITY, a int, b int, c text, d date, e point, CONSTRAINT wide_pk PRIMARY KEY (id)) WITH (autovacuum_enabled = false);
CREATE STATISTICS wide_ab (ndistinct, dependencies) ON a, b FROM wide;
CREATE STATISTICS wide_expr ON (lower(c)), (date_trunc('month', d::timestamp)) FROM wide;
CREATE STATISTICS wide_mcv (mcv) ON a, c FROM wide; ALTER STATISTICS wide_mcv SET STATISTICS 300;
COMMENT ON STATISTICS wide_ab IS 'a follows from b';
CREATE INDEX wide_brin ON wide USING brin (d date_minmax_multi_ops (values_per_range = 16), a) WITH (pages_per_range = 8, autosummarize = on);
CREATE INDEX wide_gist ON wide USING gist (e) WITH (buffering = off);
CREATE INDEX wide_spgist ON wide USING spgist (c);
CREATE INDEX wide_hash ON wide USING hash (c);
ALTER TABLE wide CLUSTER ON wide_pk;
CREATE TABLE replicated (id int NOT NULL, v text); CREATE UNIQUE INDEX replicated_id ON replicated (id);
ALTER TABLE replicated REPLICA IDENTITY USING INDEX replicated_id;
CREATE TABLE full_identity (a int, b text); ALTER TABLE full_identity REPLICA IDENTITY FULL;
CREATE TABLE no_identity (a int); ALTER TABLE no_identity REPLICA IDENTITY NOTHING;
CREATE UNLOGGED TABLE scratchpad (k text PRIMARY KEY, v jsonb);
CREATE TABLE samples (at timestamptz NOT NULL, series int NOT NULL, v double precision, note text STORAGE EXTENDED COMPRESSION pglz) WITH (fillfactor = 90, autovacuum_analyze_scale_factor = 0.02);
SELECT create_hypertable('samples', 'at', chunk_time_interval => INTERVAL '1 day');
ALTER TABLE samples ALTER COLUMN series SET STATISTICS 400;
CREATE INDEX samples_series ON samples (series, at DESC) WITH (fillfactor = 95);
INSERT INTO hot_rows SELECT n, n, 'n' || n, repeat('x', n), '\x01' FROM generate_series(1, 50) n;
INSERT INTO wide (a, b, c, d, e) SELECT n % 5, n % 5 * 2, 'c' || n % 7, '2026-01-01'::date + n, point(n, n) FROM generate_series(1, 100) n;
INSERT INTO replicated SELECT n, 'v' FROM generate_series(1, 5) n; INSERT INTO full_identity VALUES (1, 'x'); INSERT INTO scratchpad VALUES ('a', '{}');
INSERT INTO samples SELECT '2026-01-01'::timestamptz + n * interval '15 min', n % 4, n, 'note ' || n FROM generate_series(1, 300) n;
ALTER TABLE samples SET (timescaledb.compress, timescaledb.compress_segmentby = 'series', timescaledb.compress_orderby = 'at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('samples', older_than => '2026-01-03'::timestamptz) c;
