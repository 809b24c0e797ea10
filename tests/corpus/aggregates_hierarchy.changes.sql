-- change: the path of the referer is kept
ALTER TABLE stats.hits ADD COLUMN referer text;
-- change: hours are kept for longer
SELECT remove_retention_policy('stats.hits_hour');
SELECT add_retention_policy('stats.hits_hour', INTERVAL '5 years');
-- change: an index on days
CREATE INDEX hits_day_site ON stats.hits_day (site_id, day DESC);
-- change: days in real time
ALTER MATERIALIZED VIEW stats.hits_day SET (timescaledb.materialized_only = false);
-- change: a view on months, and errors as a fraction
CREATE OR REPLACE VIEW stats.errors AS SELECT day, site_id, 1.0 * errors / hits AS percent FROM stats.hits_day WHERE hits > 0;
