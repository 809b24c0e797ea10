-- Style: an analytics product whose roll-ups stand on roll-ups.
-- Exercises: named time_bucket arguments, time zones, origin and offset, four levels, aggregates with joins, FILTER,
-- HAVING, percentiles, indexes and columnstore of aggregates, group indexes switched off, real-time and not, renamed columns.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA stats;
CREATE TABLE stats.sites (id int PRIMARY KEY, domain varchar(100) NOT NULL UNIQUE, tier varchar(8) NOT NULL DEFAULT 'free');
CREATE TABLE stats.hits (at timestamptz NOT NULL, site_id int NOT NULL, path text NOT NULL, ms int, status smallint NOT NULL DEFAULT 200, country char(2));
SELECT create_hypertable('stats.hits', 'at', chunk_time_interval => INTERVAL '7 days');
CREATE INDEX hits_site_at ON stats.hits (site_id, at DESC);
INSERT INTO stats.sites SELECT n, 'site' || n || '.example' FROM generate_series(1, 4) n;
INSERT INTO stats.hits SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 1 + n % 4, '/' || n % 9, n % 300, CASE WHEN n % 10 = 0 THEN 500 ELSE 200 END, 'AT' FROM generate_series(1, 900) n;
ALTER TABLE stats.hits SET (timescaledb.compress, timescaledb.compress_segmentby = 'site_id', timescaledb.compress_orderby = 'at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('stats.hits', older_than => '2026-01-20'::timestamptz) c;
CREATE MATERIALIZED VIEW stats.hits_hour WITH (timescaledb.continuous, timescaledb.create_group_indexes = false) AS
    SELECT time_bucket(bucket_width => INTERVAL '1 hour', ts => at) AS hour, site_id, count(*) AS hits, count(*) FILTER (WHERE status >= 500) AS errors, sum(ms) AS ms, max(ms) AS slowest FROM stats.hits GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.hits_day WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
    SELECT time_bucket('1 day', hour, 'Europe/Berlin') AS day, site_id, sum(hits) AS hits, sum(errors) AS errors, sum(ms) / nullif(sum(hits), 0) AS avg_ms FROM stats.hits_hour GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.hits_month WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 month', day, 'Europe/Berlin') AS month, site_id, sum(hits) AS hits FROM stats.hits_day GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.hits_year WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 year', month, 'Europe/Berlin') AS year, sum(hits) AS hits FROM stats.hits_month GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.shifted WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 month', at, 'Asia/Amman', "offset" => INTERVAL '10 days') AS bucket, count(*) AS n, min(path) AS first_path FROM stats.hits GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.weeks WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 week', at, origin => TIMESTAMPTZ '2000-01-03 00:00+00') AS week, site_id, avg(ms)::numeric(10,2) AS avg_ms, stddev(ms) AS spread FROM stats.hits GROUP BY 1, 2 HAVING count(*) > 3 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.domain_day WITH (timescaledb.continuous) AS
    SELECT time_bucket('1 day', h.at) AS day, s.domain, count(*) AS hits FROM stats.hits h JOIN stats.sites s ON s.id = h.site_id GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW stats.quarter_hours WITH (timescaledb.continuous) AS
    SELECT time_bucket('15 minutes', at) AS t, lower(country) AS cc, percentile_cont(0.9) WITHIN GROUP (ORDER BY ms) AS p90 FROM stats.hits WHERE status < 500 GROUP BY t, lower(country) WITH NO DATA;
CALL refresh_continuous_aggregate('stats.hits_hour', NULL, NULL); CALL refresh_continuous_aggregate('stats.hits_day', NULL, NULL);
CALL refresh_continuous_aggregate('stats.hits_month', NULL, NULL); CALL refresh_continuous_aggregate('stats.hits_year', NULL, NULL);
CALL refresh_continuous_aggregate('stats.weeks', NULL, NULL); CALL refresh_continuous_aggregate('stats.domain_day', NULL, NULL);
CREATE INDEX hits_hour_site ON stats.hits_hour (site_id, hour DESC);
CREATE INDEX ON stats.hits_day (hits DESC, day);
ALTER MATERIALIZED VIEW stats.hits_hour SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'site_id', timescaledb.orderby = 'hour DESC');
SELECT add_compression_policy('stats.hits_hour', compress_after => INTERVAL '45 days');
SELECT add_continuous_aggregate_policy('stats.hits_hour', INTERVAL '3 days', INTERVAL '10 minutes', INTERVAL '10 minutes');
SELECT add_continuous_aggregate_policy('stats.hits_day', INTERVAL '10 days', INTERVAL '1 hour', INTERVAL '1 hour');
SELECT add_retention_policy('stats.hits_hour', INTERVAL '3 years');
COMMENT ON VIEW stats.hits_day IS 'Days in Berlin';
ALTER MATERIALIZED VIEW stats.weeks RENAME COLUMN spread TO deviation;
CREATE VIEW stats.errors AS SELECT day, site_id, 100.0 * errors / hits AS percent FROM stats.hits_day WHERE hits > 0;
