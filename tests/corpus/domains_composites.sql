-- Style: a typed domain model: domains on domains, composite columns, ranges and casts of one's own, operators.
-- Exercises: domains with defaults, NOT NULL and named checks, composite types in columns and arrays, custom range type,
-- CREATE CAST, CREATE OPERATOR, enum arrays, function overloads by domain, comments on types and domains.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE SCHEMA types;
CREATE DOMAIN types.email AS citext CONSTRAINT email_format CHECK (VALUE ~ '@');
CREATE DOMAIN types.positive AS integer DEFAULT 1 NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN types.percent AS numeric(5,2) CONSTRAINT percent_low CHECK (VALUE >= 0) CONSTRAINT percent_high CHECK (VALUE <= 100);
CREATE DOMAIN types.big AS numeric(1000,0);
CREATE DOMAIN types.short_code AS varchar(8) COLLATE "C" CHECK (VALUE IN ('A', 'B', 'C') OR VALUE ~ '^X');
CREATE DOMAIN types.vip_percent AS types.percent CHECK (VALUE > 50);
COMMENT ON DOMAIN types.email IS 'Whatever has an @';
CREATE TYPE types.money_amount AS (amount numeric(19,4), currency char(3));
CREATE TYPE types.address AS (street text, zip varchar(10), city text COLLATE "C", position point);
COMMENT ON TYPE types.address IS 'Where somebody lives';
CREATE TYPE types.color AS ENUM ('red', 'green', 'light blue', 'it''s "odd"');
CREATE TYPE types.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE FUNCTION types.money_text(m types.money_amount) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT m.amount || ' ' || m.currency $$;
CREATE CAST (types.money_amount AS text) WITH FUNCTION types.money_text(types.money_amount) AS ASSIGNMENT;
CREATE FUNCTION types.add(a types.money_amount, b types.money_amount) RETURNS types.money_amount LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF a.currency <> b.currency THEN RAISE EXCEPTION 'currencies differ'; END IF;
    RETURN (a.amount + b.amount, a.currency);
END $$;
CREATE OPERATOR types.+ (FUNCTION = types.add, LEFTARG = types.money_amount, RIGHTARG = types.money_amount, COMMUTATOR = OPERATOR(types.+));
CREATE FUNCTION types.is_valid(v types.email) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length(v::text) < 100';
CREATE FUNCTION types.is_valid(v types.percent) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT v IS NOT NULL';
CREATE TABLE customers (id bigserial PRIMARY KEY, email types.email UNIQUE, home types.address, others types.address[] NOT NULL DEFAULT '{}', discount types.percent DEFAULT 0, favourite types.color[] , rank types.positive, code types.short_code);
CREATE TABLE invoices (id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES customers, total types.money_amount NOT NULL, lines types.money_amount[], tolerance types.float_range, big_no types.big, CONSTRAINT invoices_total CHECK ((total).amount >= 0 AND (total).currency IS NOT NULL));
CREATE INDEX invoices_currency ON invoices (((total).currency));
CREATE INDEX invoices_tolerance ON invoices USING gist (tolerance);
CREATE TABLE rates (at timestamptz NOT NULL, pair varchar(7) NOT NULL, rate types.percent, source types.color NOT NULL DEFAULT 'red');
SELECT create_hypertable('rates', 'at');
CREATE VIEW invoice_totals AS SELECT i.id, (i.total).amount AS amount, types.money_text(i.total) AS shown, (c.home).city AS city FROM invoices i JOIN customers c ON c.id = i.customer_id;
INSERT INTO customers (email, home, discount, favourite, rank, code) SELECT (n || '@Example.org')::citext, ROW('Street ' || n, '1010', 'Wien', point(1, 2))::types.address, n, '{red,"light blue"}', n, 'X' || n FROM generate_series(1, 12) n;
INSERT INTO invoices (customer_id, total, lines, tolerance, big_no) SELECT n, ROW(n * 10, 'EUR')::types.money_amount, ARRAY[(n, 'EUR')::types.money_amount], '[1.0,2.0)', 10::numeric ^ 100 FROM generate_series(1, 12) n;
INSERT INTO rates SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 'EURUSD', n % 100, 'green' FROM generate_series(1, 200) n;
ALTER TABLE rates SET (timescaledb.compress, timescaledb.compress_segmentby = 'pair', timescaledb.compress_orderby = 'at');
SELECT count(compress_chunk(c)) FROM show_chunks('rates') c;
