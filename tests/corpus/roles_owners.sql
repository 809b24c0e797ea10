-- Style: a company's shared database with owners, groups and least privilege.
-- Exercises: owners other than the superuser for schemas, tables, views, functions, types, sequences, hypertables;
-- grants with grant option, column grants, default privileges for roles, revoked public execution, owner of an aggregate.
CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['corpus_owner', 'corpus_app', 'corpus_report', 'Corpus Admin'] LOOP
    BEGIN EXECUTE format('CREATE ROLE %I NOLOGIN', r); EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END; END LOOP; END $$;
CREATE SCHEMA crm AUTHORIZATION corpus_owner; CREATE SCHEMA reporting AUTHORIZATION "Corpus Admin";
COMMENT ON SCHEMA crm IS 'Customers'; COMMENT ON SCHEMA reporting IS 'What others may read';
CREATE SCHEMA empty_one; COMMENT ON SCHEMA empty_one IS 'To come';
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner IN SCHEMA crm GRANT SELECT, INSERT, UPDATE ON TABLES TO corpus_app;
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner GRANT USAGE ON SEQUENCES TO corpus_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT EXECUTE ON FUNCTIONS TO corpus_report;
CREATE TYPE crm.stage AS ENUM ('lead', 'won', 'lost'); ALTER TYPE crm.stage OWNER TO corpus_owner;
CREATE SEQUENCE crm.numbers START 100; ALTER SEQUENCE crm.numbers OWNER TO corpus_owner;
CREATE TABLE crm.customers (id bigserial PRIMARY KEY, no int NOT NULL DEFAULT nextval('crm.numbers'), name text NOT NULL, stage crm.stage NOT NULL DEFAULT 'lead', secret text);
ALTER TABLE crm.customers OWNER TO corpus_owner;
CREATE TABLE crm.calls (at timestamptz NOT NULL, customer_id bigint NOT NULL, seconds int, cost numeric(8,2));
SELECT create_hypertable('crm.calls', 'at', chunk_time_interval => INTERVAL '7 days');
ALTER TABLE crm.calls OWNER TO corpus_owner;
CREATE FUNCTION crm.score(p bigint) RETURNS int LANGUAGE sql STABLE SECURITY DEFINER SET search_path = crm, pg_temp AS 'SELECT count(*)::int FROM calls WHERE customer_id = p';
ALTER FUNCTION crm.score(bigint) OWNER TO corpus_owner; REVOKE EXECUTE ON FUNCTION crm.score(bigint) FROM PUBLIC; GRANT EXECUTE ON FUNCTION crm.score(bigint) TO corpus_app;
CREATE VIEW reporting.customers AS SELECT id, name, stage FROM crm.customers; ALTER VIEW reporting.customers OWNER TO "Corpus Admin";
GRANT USAGE ON SCHEMA crm TO corpus_app, "Corpus Admin"; GRANT USAGE ON SCHEMA reporting TO corpus_report;
GRANT SELECT ON crm.customers TO "Corpus Admin" WITH GRANT OPTION;
GRANT SELECT (id, name), UPDATE (stage) ON crm.customers TO corpus_report;
GRANT SELECT, INSERT, UPDATE, DELETE, TRIGGER ON crm.calls TO corpus_app;
GRANT SELECT ON reporting.customers TO corpus_report; REVOKE ALL ON crm.calls FROM corpus_report;
GRANT SELECT ON crm.calls TO PUBLIC;
GRANT USAGE ON SEQUENCE crm.numbers TO corpus_app; GRANT USAGE ON TYPE crm.stage TO corpus_report;
INSERT INTO crm.customers (name) SELECT 'Customer ' || n FROM generate_series(1, 12) n;
INSERT INTO crm.calls SELECT '2026-01-01'::timestamptz + n * interval '4 hours', 1 + n % 12, n % 600, n / 100.0 FROM generate_series(1, 200) n;
CREATE MATERIALIZED VIEW reporting.calls_daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS day, customer_id, sum(seconds) AS seconds FROM crm.calls GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('reporting.calls_daily', NULL, NULL);
GRANT SELECT ON reporting.calls_daily TO corpus_report;
ALTER TABLE crm.calls SET (timescaledb.compress, timescaledb.compress_segmentby = 'customer_id');
SELECT count(compress_chunk(c)) FROM show_chunks('crm.calls', older_than => '2026-01-15'::timestamptz) c;
