-- Style: a multi-tenant application: a schema for each tenant, the same tables in each.
-- Exercises: one table name in several schemas, enums and views of the same name, hypertables and aggregates of the
-- same name with other settings, cross-schema foreign keys to shared tables, functions with search_path.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA shared;
CREATE TABLE shared.countries (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE shared.tenants (schema_name name PRIMARY KEY, plan text NOT NULL DEFAULT 'free');
INSERT INTO shared.countries VALUES ('AT', 'Austria'), ('DE', 'Germany');
CREATE SCHEMA tenant_a; CREATE SCHEMA tenant_b; CREATE SCHEMA "Tenant C";
DO $do$
DECLARE s text; n int := 0;
BEGIN
    FOREACH s IN ARRAY ARRAY['tenant_a', 'tenant_b', 'Tenant C'] LOOP
        n := n + 1;
        EXECUTE format('SET LOCAL search_path = %I, public', s);
        EXECUTE format($f$CREATE TYPE state AS ENUM ('new', 'open', %L)$f$, 'closed_' || n);
        CREATE TABLE customers (id bigserial PRIMARY KEY, name varchar(100) NOT NULL, country char(2) REFERENCES shared.countries, state state NOT NULL DEFAULT 'new');
        CREATE INDEX customers_name_idx ON customers (name);
        CREATE TABLE readings (at timestamptz NOT NULL, customer_id bigint NOT NULL REFERENCES customers, value double precision);
        PERFORM create_hypertable(format('%I.readings', s)::regclass, by_range('at', n * INTERVAL '1 day'));
        ALTER TABLE readings SET (timescaledb.compress, timescaledb.compress_segmentby = 'customer_id', timescaledb.compress_orderby = 'at DESC');
        PERFORM add_retention_policy(format('%I.readings', s)::regclass, n * INTERVAL '1 year');
        CREATE FUNCTION open_customers() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM customers WHERE state = ''open''';
        EXECUTE format('ALTER FUNCTION open_customers() SET search_path = %I', s);
        CREATE VIEW latest AS SELECT c.name, max(r.at) AS at FROM customers c JOIN readings r ON r.customer_id = c.id GROUP BY c.name;
        INSERT INTO shared.tenants VALUES (s);
        INSERT INTO customers (name, country) SELECT 'Customer ' || i, 'AT' FROM generate_series(1, 5) i;
        INSERT INTO readings SELECT '2026-01-01'::timestamptz + i * interval '1 hour', 1 + i % 5, i FROM generate_series(1, 150) i;
    END LOOP;
END $do$;
SELECT count(compress_chunk(c)) FROM show_chunks('tenant_a.readings', older_than => '2026-01-04'::timestamptz) c;
CREATE MATERIALIZED VIEW tenant_a.hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS hour, customer_id, avg(value) AS value FROM tenant_a.readings GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW tenant_b.hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS SELECT time_bucket('1 hour', at) AS hour, customer_id, max(value) AS value FROM tenant_b.readings GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW "Tenant C".hourly WITH (timescaledb.continuous) AS SELECT time_bucket('1 hour', at) AS hour, customer_id, min(value) AS value FROM "Tenant C".readings GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('tenant_a.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('tenant_b.hourly', NULL, NULL);
CALL refresh_continuous_aggregate('"Tenant C".hourly', NULL, NULL);
SELECT add_continuous_aggregate_policy('tenant_b.hourly', INTERVAL '1 day', INTERVAL '1 hour', INTERVAL '1 hour');
