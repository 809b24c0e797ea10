-- change: meters have a place
ALTER TABLE meters ADD COLUMN latitude numeric(9,6), ADD COLUMN longitude numeric(9,6);
-- change: prices grow more exact
ALTER TABLE tariffs ALTER COLUMN price_kwh TYPE numeric(10,7);
-- change: customers' names are found without regard to case
CREATE INDEX customers_name_lower ON customers (lower(name));
-- change: the daily aggregate starts later and goes back further
SELECT remove_continuous_aggregate_policy('consumption_daily');
SELECT add_continuous_aggregate_policy('consumption_daily', INTERVAL '30 days', INTERVAL '1 day', INTERVAL '6 hours', timezone => 'Europe/Vienna', initial_start => '2030-01-01 04:00+01');
-- change: bills carry the name
CREATE OR REPLACE VIEW bill AS SELECT c.customer_id, m.month, m.kwh, k.name FROM consumption_monthly m
    JOIN contracts c ON c.meter_id = m.meter_id AND c.valid @> m.month::date JOIN customers k USING (customer_id);
