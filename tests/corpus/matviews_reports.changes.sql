-- change: stores have an area
ALTER TABLE dwh.dim_store ADD COLUMN area_m2 numeric(8,1);
-- change: another index on a materialized view
CREATE INDEX store_month_month ON report.store_month (month DESC);
-- change: growth in percent
CREATE OR REPLACE VIEW report.growth AS SELECT store_no, month, amount, amount - lag(amount) OVER (PARTITION BY store_no ORDER BY month) AS change, round(100 * amount / nullif(lag(amount) OVER (PARTITION BY store_no ORDER BY month), 0), 1) AS percent FROM report.store_month;
-- change: the share is of quantities, too
DROP MATERIALIZED VIEW report.city_share;
CREATE MATERIALIZED VIEW report.city_share AS SELECT s.city, m.month, sum(m.amount) AS amount, count(*) AS stores FROM report.store_month m JOIN dwh.dim_store s USING (store_no) GROUP BY s.city, m.month;
-- change: sales are refreshed by policy
SELECT add_continuous_aggregate_policy('report.sales_daily', INTERVAL '1 month', INTERVAL '1 hour', INTERVAL '1 hour');
