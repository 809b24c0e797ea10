-- change: flow is kept two years
SELECT (alter_job(job_id, config => jsonb_set(config, '{drop_after}', '"2 years"'))).job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'flow';
-- change: flow is compressed earlier
SELECT (alter_job(job_id, config => jsonb_set(config, '{compress_after}', '"2 days"'))).job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression' AND hypertable_name = 'flow';
-- change: pressure has a flag
ALTER TABLE pressure ADD COLUMN suspect boolean NOT NULL DEFAULT false;
-- change: the retention of levels runs again
SELECT (alter_job(job_id, scheduled => true)).job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' AND hypertable_name = 'level';
-- change: nothing is reordered any more
SELECT remove_reorder_policy('flow');
