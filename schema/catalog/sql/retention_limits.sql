-- How long rows are kept, by hypertable or aggregate.
SELECT hypertable_schema AS schema, hypertable_name AS "table", min(config ->> 'drop_after') AS drop_after
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_name IS NOT NULL
 GROUP BY 1, 2
