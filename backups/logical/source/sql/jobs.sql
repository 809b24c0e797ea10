-- Policies and user-defined jobs in an order of their own, without their ids and schedules' times: what must be the same.
SELECT format('job %s %s %s %s', proc_name, coalesce(hypertable_schema || '.' || hypertable_name, ''),
              schedule_interval, config - 'mat_hypertable_id' - 'hypertable_id') AS line
  FROM timescaledb_information.jobs
 WHERE job_id >= 1000
 ORDER BY 1
