-- The tables' columns that hold values of these types of one schema, also within arrays, domains and composite types.
-- A hypertable is filled where one of its chunks is.
WITH RECURSIVE held AS (
    SELECT t.typname AS name, t.oid AS type
      FROM pg_type t
      JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = %(schema)s AND t.typname = ANY(%(names)s) AND t.typtype IN ('d', 'c')
    UNION
    SELECT h.name, holder.oid
      FROM held h
      JOIN pg_type t ON t.oid = h.type
      JOIN LATERAL (SELECT t.typarray AS oid WHERE t.typarray <> 0
                     UNION ALL
                    SELECT d.oid FROM pg_type d WHERE d.typbasetype = t.oid
                     UNION ALL
                    SELECT c.reltype FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'c'
                     WHERE a.atttypid = t.oid AND NOT a.attisdropped) holder ON true
)
SELECT h.name,
       CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table",
       a.attname AS "column",
       pg_relation_size(c.oid) > 0
         OR EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid AND pg_relation_size(i.inhrelid) > 0) AS filled
  FROM held h
  JOIN pg_attribute a ON a.atttypid = h.type AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname <> '_timescaledb_internal'
 ORDER BY h.name, 2, 3
