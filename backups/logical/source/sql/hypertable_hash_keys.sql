-- The columns by which hypertables are partitioned by the hash that their type has; a partitioning function of one's own
-- is asked again by a restored database.
SELECT a.attrelid::regclass::text AS "table", a.attname::text AS "column", a.atttypid::bigint AS type
  FROM _timescaledb_catalog.dimension d
  JOIN _timescaledb_catalog.hypertable h ON h.id = d.hypertable_id
  JOIN pg_attribute a ON a.attrelid = to_regclass(format('%I.%I', h.schema_name, h.table_name))
                     AND a.attname = d.column_name
 WHERE d.num_slices IS NOT NULL AND d.partitioning_func = 'get_partition_hash'
 ORDER BY 1, 2
