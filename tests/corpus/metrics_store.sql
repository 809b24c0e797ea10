-- Style: a store for a monitoring system: one hypertable per metric in a schema of its own, series and labels by id.
-- Exercises: six schemas, functions LANGUAGE sql, plpgsql and BEGIN ATOMIC, overloads, a set-returning function with
-- ROWS, jsonb and int arrays, domain types, GIN indexes, several jobs of one procedure.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA prom_catalog; CREATE SCHEMA prom_data; CREATE SCHEMA prom_api; CREATE SCHEMA prom_metric;
COMMENT ON SCHEMA prom_api IS 'What may be called from outside';
CREATE DOMAIN prom_api.label_array AS int[] CHECK (array_position(VALUE, NULL) IS NULL);
CREATE DOMAIN prom_api.label_key AS text NOT NULL;
CREATE TABLE prom_catalog.label (id serial PRIMARY KEY, key text NOT NULL, value text NOT NULL, UNIQUE (key, value) INCLUDE (id));
CREATE TABLE prom_catalog.metric (id serial PRIMARY KEY, metric_name text NOT NULL UNIQUE, table_name name NOT NULL, creation_completed bool NOT NULL DEFAULT false,
    delay_compression_until timestamptz);
CREATE TABLE prom_catalog.series (id bigint NOT NULL, metric_id int NOT NULL REFERENCES prom_catalog.metric ON DELETE CASCADE, labels prom_api.label_array NOT NULL,
    delete_epoch bigint, CONSTRAINT series_labels_id UNIQUE (labels, metric_id), PRIMARY KEY (id));
CREATE SEQUENCE prom_catalog.series_id START 10 CACHE 5 OWNED BY prom_catalog.series.id;
ALTER TABLE prom_catalog.series ALTER id SET DEFAULT nextval('prom_catalog.series_id');
CREATE INDEX series_labels_gin ON prom_catalog.series USING gin (labels);
CREATE TABLE prom_data.cpu_usage (time timestamptz NOT NULL, value double precision NOT NULL, series_id bigint NOT NULL);
CREATE TABLE prom_data.mem_free (time timestamptz NOT NULL, value double precision NOT NULL, series_id bigint NOT NULL);
SELECT create_hypertable(t, by_range('time', INTERVAL '8 hours'), create_default_indexes => false) FROM (VALUES ('prom_data.cpu_usage'::regclass), ('prom_data.mem_free')) v(t);
CREATE UNIQUE INDEX data_series_id_time_1 ON prom_data.cpu_usage (series_id, time) INCLUDE (value);
CREATE UNIQUE INDEX data_series_id_time_2 ON prom_data.mem_free (series_id, time) INCLUDE (value);
ALTER TABLE prom_data.cpu_usage SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 'time, value');
ALTER TABLE prom_data.mem_free SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id', timescaledb.compress_orderby = 'time, value');
CREATE FUNCTION prom_api.epoch(at timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN extract(epoch FROM at)::bigint;
CREATE FUNCTION prom_api.labels(s prom_api.label_array) RETURNS jsonb LANGUAGE sql STABLE
    BEGIN ATOMIC SELECT coalesce(jsonb_object_agg(l.key, l.value), '{}') FROM prom_catalog.label l WHERE l.id = ANY (s::int[]); END;
CREATE FUNCTION prom_api.labels(series bigint) RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT prom_api.labels(s.labels) FROM prom_catalog.series s WHERE s.id = series $$;
CREATE FUNCTION prom_api.matching(p_key text, p_value text) RETURNS SETOF bigint LANGUAGE plpgsql STABLE ROWS 20 AS $$
BEGIN
    RETURN QUERY SELECT s.id FROM prom_catalog.series s JOIN prom_catalog.label l ON l.id = ANY (s.labels) WHERE l.key = p_key AND l.value = p_value;
END $$;
CREATE PROCEDURE prom_api.maintain(job_id int, config jsonb) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE prom_catalog.series SET delete_epoch = prom_api.epoch(now()) WHERE delete_epoch IS NULL AND config ? 'mark';
END $$;
SELECT add_job('prom_api.maintain', INTERVAL '30 min', config => '{"mark": true}', initial_start => '2030-01-01 00:00+00');
SELECT add_job('prom_api.maintain', INTERVAL '1 day', config => '{"sweep": true}', initial_start => '2030-01-01 03:00+00', timezone => 'Europe/Berlin');
CREATE VIEW prom_metric.cpu_usage AS SELECT d.time, d.value, d.series_id, s.labels FROM prom_data.cpu_usage d JOIN prom_catalog.series s ON s.id = d.series_id;
CREATE VIEW prom_metric.mem_free AS SELECT d.time, d.value, d.series_id, s.labels FROM prom_data.mem_free d JOIN prom_catalog.series s ON s.id = d.series_id;
INSERT INTO prom_catalog.label (key, value) SELECT 'host', 'h' || n FROM generate_series(1, 10) n;
INSERT INTO prom_catalog.metric (metric_name, table_name) VALUES ('cpu_usage', 'cpu_usage'), ('mem_free', 'mem_free');
INSERT INTO prom_catalog.series (metric_id, labels) SELECT 1 + n % 2, ARRAY[1 + n % 10] FROM generate_series(1, 20) n ON CONFLICT DO NOTHING;
INSERT INTO prom_data.cpu_usage SELECT '2026-01-01'::timestamptz + n * interval '5 min', n % 100, 10 + n % 4 FROM generate_series(1, 300) n;
INSERT INTO prom_data.mem_free SELECT '2026-01-01'::timestamptz + n * interval '5 min', n * 1e6, 10 + n % 4 FROM generate_series(1, 300) n;
SELECT count(compress_chunk(c)) FROM show_chunks('prom_data.cpu_usage') c;
