-- How many chunks each hypertable has, and how many of them are in the columnstore.
SELECT found.name AS "table", count(*) AS chunks, count(*) FILTER (WHERE c.is_compressed) AS compressed
  FROM timescaledb_information.chunks c,
       LATERAL (SELECT CASE WHEN c.hypertable_schema = 'public' THEN c.hypertable_name
                            ELSE c.hypertable_schema || '.' || c.hypertable_name END AS name) found
 WHERE found.name = ANY(%(names)s)
 GROUP BY found.name
