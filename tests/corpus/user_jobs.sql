-- Style: a team that runs its housekeeping as TimescaleDB jobs.
-- Exercises: several jobs of one procedure with configs, check functions, fixed and drifting schedules, functions as jobs,
-- paused job, owners and retry limits, a job whose config holds another job's name, tiering-like procedures.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA ops;
CREATE TABLE ops.settings (key text PRIMARY KEY, value jsonb NOT NULL);
CREATE TABLE ops.job_log (at timestamptz NOT NULL DEFAULT now(), job_id int, message text);
SELECT create_hypertable('ops.job_log', 'at', chunk_time_interval => INTERVAL '1 month');
CREATE TABLE events (at timestamptz NOT NULL, kind text NOT NULL, size_bytes bigint NOT NULL DEFAULT 0);
SELECT create_hypertable('events', 'at', chunk_time_interval => INTERVAL '1 day');
CREATE PROCEDURE ops.downsample(job_id int, config jsonb) LANGUAGE plpgsql AS $$
DECLARE lag interval := (config ->> 'lag')::interval;
BEGIN
    IF lag IS NULL THEN RAISE EXCEPTION 'config must hold lag'; END IF;
    INSERT INTO ops.job_log (job_id, message) SELECT job_id, format('%s: %s', config ->> 'kind', count(*)) FROM events e WHERE e.kind = config ->> 'kind' AND e.at < now() - lag;
    COMMIT;
END $$;
CREATE FUNCTION ops.check_downsample(config jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF config IS NULL OR NOT config ? 'lag' THEN RAISE EXCEPTION 'lag is lacking'; END IF;
END $$;
CREATE FUNCTION ops.vacuum_note(job_id int, config jsonb) RETURNS void LANGUAGE sql AS $$ INSERT INTO ops.job_log (job_id, message) VALUES (job_id, 'ops.downsample is another job') $$;
CREATE PROCEDURE ops.recompress(job_id int, config jsonb) LANGUAGE sql BEGIN ATOMIC INSERT INTO ops.job_log (job_id, message) VALUES (job_id, 'done'); END;
INSERT INTO ops.settings VALUES ('lag', '"1 day"');
INSERT INTO events SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 'k' || n % 3, n FROM generate_series(1, 150) n;
INSERT INTO ops.job_log SELECT '2026-01-01'::timestamptz + n * interval '1 day', 1, 'm' FROM generate_series(1, 40) n;
SELECT add_job('ops.downsample', INTERVAL '1 hour', config => '{"kind": "k1", "lag": "1 day"}', initial_start => '2030-01-01 00:00+00', check_config => 'ops.check_downsample');
SELECT add_job('ops.downsample', INTERVAL '2 hours', config => '{"kind": "k2", "lag": "2 days"}', fixed_schedule => false, check_config => 'ops.check_downsample');
SELECT add_job('ops.downsample', INTERVAL '1 month', config => '{"kind": "k0", "lag": "1 hour"}', initial_start => '2030-01-01 03:00+00', timezone => 'Asia/Tokyo', job_name => 'Monthly downsampling');
SELECT add_job('ops.vacuum_note', INTERVAL '1 day', scheduled => false, fixed_schedule => false);
SELECT add_job('ops.recompress', INTERVAL '12 hours', fixed_schedule => false);
SELECT (alter_job(job_id, max_runtime => INTERVAL '5 min', max_retries => 3, retry_period => INTERVAL '10 min')).job_id FROM timescaledb_information.jobs WHERE proc_name = 'recompress';
SELECT add_retention_policy('ops.job_log', INTERVAL '1 year');
ALTER TABLE events SET (timescaledb.compress, timescaledb.compress_segmentby = 'kind');
SELECT count(compress_chunk(c)) FROM show_chunks('events', older_than => '2026-01-04'::timestamptz) c;
