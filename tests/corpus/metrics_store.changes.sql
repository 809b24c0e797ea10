-- change: metrics know their unit
ALTER TABLE prom_catalog.metric ADD COLUMN unit text, ADD COLUMN is_view boolean NOT NULL DEFAULT false;
-- change: one more metric, as the store makes it on the fly
CREATE TABLE prom_data.disk_used (time timestamptz NOT NULL, value double precision NOT NULL, series_id bigint NOT NULL);
SELECT create_hypertable('prom_data.disk_used', by_range('time', INTERVAL '8 hours'), create_default_indexes => false);
CREATE UNIQUE INDEX data_series_id_time_3 ON prom_data.disk_used (series_id, time) INCLUDE (value);
-- change: the function of one series is found in fewer steps
CREATE OR REPLACE FUNCTION prom_api.labels(series bigint) RETURNS jsonb LANGUAGE sql STABLE AS
    $$ SELECT jsonb_object_agg(l.key, l.value) FROM prom_catalog.series s JOIN prom_catalog.label l ON l.id = ANY (s.labels) WHERE s.id = series $$;
-- change: data older than a month goes
SELECT add_retention_policy('prom_data.cpu_usage', INTERVAL '30 days');
-- change: marking runs hourly
SELECT (alter_job(job_id, schedule_interval => INTERVAL '1 hour')).job_id FROM timescaledb_information.jobs WHERE config ? 'mark';
