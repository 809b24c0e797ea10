-- Continuous aggregates of these schemas, and the jobs that run procedures of these schemas.
SELECT 'aggregate' AS kind, view_schema AS schema, view_name AS name, view_name AS signature,
       to_regclass(format('%%I.%%I', view_schema, view_name))::oid::bigint AS oid
  FROM timescaledb_information.continuous_aggregates
 WHERE view_schema = ANY(%(schemas)s)
UNION ALL
SELECT 'job', proc_schema, proc_name, job_id::text, job_id
  FROM timescaledb_information.jobs
 WHERE proc_schema = ANY(%(schemas)s)
 ORDER BY 5
