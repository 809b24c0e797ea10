-- Jobs that run procedures of anybody but TimescaleDB, oldest first. A job that was given no name has none here.
SELECT j.job_id AS id,
       CASE WHEN n.nspname = 'public' THEN j.proc_name::text ELSE n.nspname || '.' || j.proc_name END AS procedure,
       CASE WHEN j.application_name NOT LIKE 'User-Defined Action [%%'
            THEN regexp_replace(j.application_name, ' \[\d+\]$', '') END AS name,
       j.schedule_interval::text AS schedule,
       j.config::text AS config,
       NOT j.scheduled AS paused,
       j.fixed_schedule,
       b.timezone,
       j.max_runtime::text AS max_runtime,
       j.max_retries,
       j.retry_period::text AS retry_period,
       CASE WHEN isfinite(b.initial_start) AND date_trunc('second', b.initial_start) = b.initial_start
            THEN to_char(b.initial_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || '+00' END AS initial_start,
       CASE b.check_schema WHEN 'public' THEN b.check_name::text ELSE b.check_schema || '.' || b.check_name END AS check
  FROM timescaledb_information.jobs j
  JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
  JOIN pg_namespace n ON n.nspname = j.proc_schema
 WHERE n.nspname !~ '^_timescaledb' AND j.hypertable_name IS NULL
 ORDER BY j.job_id
