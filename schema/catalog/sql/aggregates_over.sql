-- Continuous aggregates over these hypertables (full names of both).
SELECT found.base, CASE WHEN view_schema = 'public' THEN view_name ELSE view_schema || '.' || view_name END AS name
  FROM timescaledb_information.continuous_aggregates,
       LATERAL (SELECT CASE WHEN hypertable_schema = 'public' THEN hypertable_name
                            ELSE hypertable_schema || '.' || hypertable_name END AS base) found
 WHERE found.base = ANY(%(names)s)
 ORDER BY 1, 2
