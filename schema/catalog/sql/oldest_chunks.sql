-- Where the oldest chunk of each of these hypertables begins, in years that a client's datetime has; nothing for those
-- that count time in integers.
SELECT hypertable_schema AS schema, hypertable_name AS "table", greatest(min(range_start), timestamptz '0001-01-02 00:00+00') AS edge
  FROM timescaledb_information.chunks
 WHERE hypertable_name = ANY(%(names)s) AND range_start IS NOT NULL
 GROUP BY 1, 2
