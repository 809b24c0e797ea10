-- How long the chunks of these hypertables are.
SELECT hypertable_schema AS schema, hypertable_name AS "table",
       coalesce(time_interval::text, integer_interval::text) AS chunk
  FROM timescaledb_information.dimensions
 WHERE dimension_number = 1 AND hypertable_name = ANY(%(names)s)
