-- The key columns of tables that PostgreSQL partitions by hash.
SELECT a.attrelid::regclass::text AS "table", a.attname::text AS "column", a.atttypid::bigint AS type
  FROM pg_partitioned_table p
  JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = ANY(p.partattrs::int2[])
 WHERE p.partstrat = 'h'
 ORDER BY 1, 2
