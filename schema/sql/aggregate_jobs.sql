-- Refresh, columnstore and retention policies of continuous aggregates, oldest first.
SELECT hypertable_name AS "table", job_id AS id, proc_name AS procedure, schedule_interval::text AS schedule, scheduled,
       config::text AS config
  FROM timescaledb_information.jobs
 WHERE hypertable_schema = %(schema)s AND hypertable_name = ANY(%(names)s)
   AND proc_name IN ('policy_refresh_continuous_aggregate', 'policy_compression', 'policy_retention')
 ORDER BY hypertable_name, job_id
