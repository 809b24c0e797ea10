-- Columns by whose range chunks are skipped, of the hypertables asked for (TimescaleDB 2.16 and later).
SELECT 'chunk_column_stats' AS catalog, 0::oid AS oid, 0 AS sub, h.name || '.' || s.column_name AS object, h.name AS relation,
       jsonb_build_object('skipping', true) AS attributes
  FROM _timescaledb_catalog.chunk_column_stats s
  JOIN (SELECT id, CASE schema_name WHEN 'public' THEN table_name ELSE schema_name || '.' || table_name END AS name
          FROM _timescaledb_catalog.hypertable) h ON h.id = s.hypertable_id
 WHERE coalesce(s.chunk_id, 0) = 0 AND h.name = ANY(%(names)s)
