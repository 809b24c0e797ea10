-- Refresh, columnstore and retention policies of continuous aggregates, oldest first.
SELECT j.hypertable_name AS "table", j.job_id AS id, j.proc_name AS procedure, j.schedule_interval::text AS schedule,
       j.scheduled, j.config::text AS config, b.timezone,
       b.fixed_schedule, b.max_runtime::text, b.max_retries, b.retry_period::text,
       CASE WHEN isfinite(b.initial_start) AND date_trunc('second', b.initial_start) = b.initial_start
            THEN to_char(b.initial_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00' END AS initial_start
  FROM timescaledb_information.jobs j
  JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
 WHERE j.hypertable_schema = %(schema)s AND j.hypertable_name = ANY(%(names)s)
   AND j.proc_name IN ('policy_refresh_continuous_aggregate', 'policy_compression', 'policy_retention')
 ORDER BY j.hypertable_name, j.job_id
