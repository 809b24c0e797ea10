-- Style: a utility's meter data management: meters, contracts with validity, tariffs, quarter-hour values.
-- Exercises: temporal exclusion constraint, monthly and daily buckets in a time zone, numeric(14,4), several unique
-- keys, hypertable with a unique key and a hash dimension, comments everywhere, statistics objects.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TABLE meters (meter_id integer PRIMARY KEY, ean varchar(18) NOT NULL, direction varchar(6) NOT NULL, digits smallint NOT NULL DEFAULT 6,
    CONSTRAINT meters_ean_direction_uq UNIQUE (ean, direction), CONSTRAINT meters_direction_ck CHECK (direction IN ('import', 'export')));
COMMENT ON TABLE meters IS 'Metering points; one row for each direction';
COMMENT ON COLUMN meters.ean IS 'European Article Number, 18 digits';
CREATE TABLE customers (customer_id bigserial PRIMARY KEY, name text NOT NULL, iban varchar(34), active boolean NOT NULL DEFAULT TRUE);
CREATE TABLE contracts (contract_id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, meter_id integer NOT NULL REFERENCES meters,
    valid daterange NOT NULL DEFAULT daterange(CURRENT_DATE, NULL), CONSTRAINT contracts_no_overlap EXCLUDE USING gist (meter_id WITH =, valid WITH &&));
CREATE TABLE tariffs (code varchar(10) NOT NULL, valid_from date NOT NULL, price_kwh numeric(8,5) NOT NULL, night boolean DEFAULT false NOT NULL,
    CONSTRAINT tariffs_pk PRIMARY KEY (code, valid_from, night), CONSTRAINT tariffs_price CHECK (price_kwh >= 0::numeric));
CREATE TABLE readings_15min (meter_id integer NOT NULL REFERENCES meters (meter_id), read_at timestamptz NOT NULL, kwh numeric(14,4) NOT NULL, quality smallint NOT NULL DEFAULT 0,
    estimated boolean NOT NULL DEFAULT false, CONSTRAINT readings_15min_pk PRIMARY KEY (meter_id, read_at));
SELECT create_hypertable('readings_15min', 'read_at', 'meter_id', 2, chunk_time_interval => INTERVAL '7 days');
CREATE STATISTICS readings_quality (dependencies) ON quality, estimated FROM readings_15min;
COMMENT ON TABLE readings_15min IS 'Values of a quarter of an hour, as the grid operator sends them';
INSERT INTO meters SELECT n, lpad(n::text, 18, '0'), CASE WHEN n % 4 = 0 THEN 'export' ELSE 'import' END FROM generate_series(1, 12) n;
INSERT INTO customers (name, iban) SELECT 'Customer ' || n, 'DE' || lpad(n::text, 20, '0') FROM generate_series(1, 12) n;
INSERT INTO contracts (customer_id, meter_id, valid) SELECT n, n, daterange('2025-01-01', NULL) FROM generate_series(1, 12) n;
INSERT INTO tariffs SELECT 'T' || n, '2026-01-01', 0.25 + n / 100.0, n % 2 = 0 FROM generate_series(1, 6) n;
INSERT INTO readings_15min SELECT 1 + n % 3, '2026-01-01'::timestamptz + n * interval '45 min', n / 4.0, n % 3, n % 10 = 0 FROM generate_series(1, 500) n;
ALTER TABLE readings_15min SET (timescaledb.compress, timescaledb.compress_segmentby = 'meter_id', timescaledb.compress_orderby = 'read_at');
SELECT count(compress_chunk(c)) FROM show_chunks('readings_15min', older_than => '2026-01-10'::timestamptz) c;
SELECT add_compression_policy('readings_15min', compress_after => INTERVAL '45 days', schedule_interval => INTERVAL '12 hours');
CREATE MATERIALIZED VIEW consumption_daily WITH (timescaledb.continuous) AS
    SELECT meter_id, time_bucket(INTERVAL '1 day', read_at, 'Europe/Vienna') AS day, sum(kwh) AS kwh, bool_or(estimated) AS has_estimates
      FROM readings_15min GROUP BY meter_id, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW consumption_monthly WITH (timescaledb.continuous) AS
    SELECT meter_id, time_bucket('1 month', day, 'Europe/Vienna') AS month, sum(kwh) AS kwh FROM consumption_daily GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('consumption_daily', NULL, NULL);
CALL refresh_continuous_aggregate('consumption_monthly', NULL, NULL);
SELECT add_continuous_aggregate_policy('consumption_daily', INTERVAL '10 days', INTERVAL '1 day', INTERVAL '6 hours', timezone => 'Europe/Vienna', initial_start => '2030-01-01 02:00+01');
SELECT add_continuous_aggregate_policy('consumption_monthly', INTERVAL '4 months', INTERVAL '1 day', INTERVAL '1 day');
COMMENT ON VIEW consumption_daily IS 'Days of local time';
CREATE VIEW bill AS SELECT c.customer_id, m.month, m.kwh FROM consumption_monthly m JOIN contracts c ON c.meter_id = m.meter_id AND c.valid @> m.month::date;
