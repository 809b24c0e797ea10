-- Where the oldest chunk of each of these hypertables begins; nothing for those that count time in integers.
SELECT hypertable_schema AS schema, hypertable_name AS "table", min(range_start) AS edge
  FROM timescaledb_information.chunks
 WHERE hypertable_name = ANY(%(names)s) AND range_start IS NOT NULL
 GROUP BY 1, 2
