-- Style: a reporting database: dimension tables, facts, materialized views refreshed by a job in order.
-- Exercises: materialized views on each other and on an aggregate, their indexes, WITH NO DATA, jobs of one procedure
-- with different views, custom aggregate function, set operations, window functions, grouping sets, CTEs in views.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA dwh; CREATE SCHEMA report;
CREATE TABLE dwh.dim_date (date_key int PRIMARY KEY, day date NOT NULL UNIQUE, iso_week smallint GENERATED ALWAYS AS (extract(week FROM day)::smallint) STORED, is_holiday boolean NOT NULL DEFAULT false);
CREATE TABLE dwh.dim_store (store_key int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, store_no varchar(10) NOT NULL, city text, valid_from date NOT NULL DEFAULT '2026-01-01', valid_to date NOT NULL DEFAULT 'infinity', UNIQUE (store_no, valid_from));
CREATE TABLE dwh.fact_sales (sold_at timestamptz NOT NULL, date_key int NOT NULL, store_key int NOT NULL REFERENCES dwh.dim_store, product_no int NOT NULL, quantity int NOT NULL, amount numeric(12,2) NOT NULL);
SELECT create_hypertable('dwh.fact_sales', 'sold_at', chunk_time_interval => INTERVAL '7 days');
CREATE INDEX fact_sales_store ON dwh.fact_sales (store_key, sold_at DESC);
CREATE FUNCTION dwh.product_state(s numeric, v numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(s, 1) * coalesce(v, 1)';
CREATE AGGREGATE dwh.product(numeric) (SFUNC = dwh.product_state, STYPE = numeric, INITCOND = '1');
INSERT INTO dwh.dim_date (date_key, day) SELECT n, '2026-01-01'::date + n FROM generate_series(0, 60) n;
INSERT INTO dwh.dim_store (store_no, city) SELECT 'S' || n, (ARRAY['Graz', 'Linz'])[1 + n % 2] FROM generate_series(1, 6) n;
INSERT INTO dwh.fact_sales SELECT '2026-01-01'::timestamptz + n * interval '3 hours', n / 8, 1 + n % 6, n % 40, 1 + n % 5, n * 1.1 FROM generate_series(1, 400) n;
ALTER TABLE dwh.fact_sales SET (timescaledb.compress, timescaledb.compress_segmentby = 'store_key', timescaledb.compress_orderby = 'sold_at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('dwh.fact_sales', older_than => '2026-01-20'::timestamptz) c;
CREATE MATERIALIZED VIEW report.sales_daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', sold_at) AS day, store_key, sum(amount) AS amount, sum(quantity) AS quantity FROM dwh.fact_sales GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('report.sales_daily', NULL, NULL);
CREATE MATERIALIZED VIEW report.store_month AS
    SELECT s.store_no, date_trunc('month', d.day) AS month, sum(d.amount) AS amount, rank() OVER (PARTITION BY date_trunc('month', d.day) ORDER BY sum(d.amount) DESC) AS place
      FROM report.sales_daily d JOIN dwh.dim_store s USING (store_key) GROUP BY s.store_no, date_trunc('month', d.day);
CREATE UNIQUE INDEX store_month_key ON report.store_month (store_no, month);
CREATE INDEX store_month_place ON report.store_month (place) WHERE place <= 3;
CREATE MATERIALIZED VIEW report.city_share AS
    WITH totals AS (SELECT month, sum(amount) AS total FROM report.store_month GROUP BY month)
    SELECT s.city, m.month, sum(m.amount) / nullif(t.total, 0) AS share FROM report.store_month m JOIN dwh.dim_store s USING (store_no) JOIN totals t USING (month) GROUP BY s.city, m.month, t.total;
COMMENT ON MATERIALIZED VIEW report.city_share IS 'Share of each city in a month';
CREATE MATERIALIZED VIEW report.cube AS SELECT store_key, product_no, sum(amount) AS amount, grouping(store_key, product_no) AS level FROM dwh.fact_sales GROUP BY CUBE (store_key, product_no) WITH NO DATA;
CREATE VIEW report.growth AS SELECT store_no, month, amount, amount - lag(amount) OVER (PARTITION BY store_no ORDER BY month) AS change FROM report.store_month;
CREATE VIEW report.all_names AS SELECT store_no AS name FROM dwh.dim_store UNION SELECT city FROM dwh.dim_store EXCEPT VALUES ('Wien'::text) ORDER BY 1;
CREATE PROCEDURE report.refresh(job_id int, config jsonb) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REFRESH MATERIALIZED VIEW %I.%I', 'report', config ->> 'view');
END $$;
SELECT add_job('report.refresh', INTERVAL '1 hour', config => '{"view": "store_month"}', initial_start => '2030-01-01 00:05+00');
SELECT add_job('report.refresh', INTERVAL '1 day', config => '{"view": "city_share"}', initial_start => '2030-01-01 01:00+00', timezone => 'Europe/Vienna');
