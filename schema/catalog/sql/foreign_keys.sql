-- Foreign keys of these tables (schema-qualified names as people write them).
SELECT found.name AS "table", k.conname AS name
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace,
       LATERAL (SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name) found
 WHERE k.contype = 'f' AND k.conparentid = 0 AND found.name = ANY(%(names)s)
 ORDER BY 1, 2
