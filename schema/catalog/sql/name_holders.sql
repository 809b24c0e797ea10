-- The indexes and sequences that have one of these names in its schema, with the table that each belongs to.
SELECT n.nspname::text AS schema, c.relname::text AS name, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'index' END AS kind,
       CASE WHEN tn.nspname = 'public' THEN t.relname ELSE tn.nspname || '.' || t.relname END AS "table"
  FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema, name)
  JOIN pg_namespace n ON n.nspname = wanted.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('i', 'I', 'S')
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_depend o ON c.relkind = 'S' AND o.classid = 'pg_class'::regclass AND o.objid = c.oid
                       AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')
  JOIN pg_class t ON t.oid = coalesce(i.indrelid, o.refobjid)
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 ORDER BY 1, 2
