-- Where the server lists what steps take away: relations, their constraints, indexes and columns, columns' sequences.
WITH wanted AS (
  SELECT w.sort, w.relation, w.name, c.oid, c.relnamespace
    FROM unnest(%(sorts)s::text[], %(relations)s::text[], %(names)s::text[]) AS w (sort, relation, name)
    JOIN pg_class c ON true
    JOIN pg_namespace n ON n.oid = c.relnamespace
     AND w.relation = CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
)
SELECT w.sort, w.relation, w.name, 'pg_constraint' AS catalog, k.oid::bigint AS id, 0 AS "column"
  FROM wanted w
  JOIN pg_constraint k ON w.sort = 'constraint' AND k.conrelid = w.oid AND k.conname = w.name
UNION ALL
SELECT w.sort, w.relation, w.name, 'pg_class', i.indexrelid::bigint, 0
  FROM wanted w
  JOIN pg_index i ON w.sort = 'index' AND i.indrelid = w.oid
  JOIN pg_class x ON x.oid = i.indexrelid AND x.relname = w.name
UNION ALL
SELECT w.sort, w.relation, w.name, 'pg_class', w.oid::bigint, a.attnum
  FROM wanted w
  JOIN pg_attribute a ON w.sort IN ('column', 'attribute', 'type') AND a.attrelid = w.oid AND a.attname = w.name
UNION ALL
SELECT w.sort, w.relation, w.name, 'pg_class', w.oid::bigint, 0
  FROM wanted w
 WHERE w.sort IN ('relation', 'row')
UNION ALL
SELECT w.sort, w.relation, w.name, 'pg_class', d.objid::bigint, 0
  FROM wanted w
  JOIN pg_attribute a ON w.sort = 'sequence' AND a.attrelid = w.oid AND a.attname = w.name
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = w.oid
                  AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
