-- change: one job runs more seldom
SELECT (alter_job(job_id, schedule_interval => INTERVAL '3 hours')).job_id FROM timescaledb_information.jobs WHERE config ->> 'kind' = 'k2';
-- change: another configuration
SELECT (alter_job(job_id, config => '{"kind": "k1", "lag": "3 days"}')).job_id FROM timescaledb_information.jobs WHERE config ->> 'kind' = 'k1';
-- change: the note is written with its time
CREATE OR REPLACE FUNCTION ops.vacuum_note(job_id int, config jsonb) RETURNS void LANGUAGE sql AS $$ INSERT INTO ops.job_log (job_id, message) VALUES (job_id, 'ops.downsample ran at ' || now()) $$;
-- change: another job
SELECT add_job('ops.vacuum_note', INTERVAL '1 week', config => '{"note": "weekly"}', fixed_schedule => false);
-- change: events have a source
ALTER TABLE events ADD COLUMN source text;
CREATE INDEX events_source ON events (source, at DESC) WHERE source IS NOT NULL;
