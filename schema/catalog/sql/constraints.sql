-- Primary, unique, foreign and check constraints of tables.
SELECT c.relname AS "table",
       k.conname AS name,
       k.contype AS type,
       k.convalidated AS validated,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(num, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place) AS columns,
       CASE WHEN rn.nspname = 'public' THEN r.relname ELSE rn.nspname || '.' || r.relname END AS target,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(num, place)
               JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) AS "references",
       k.confdeltype AS on_delete,
       k.confupdtype AS on_update,
       pg_get_expr(k.conbin, k.conrelid, true) AS expression,
       obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON r.oid = k.confrelid
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
   AND k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0
 ORDER BY c.relname, k.conname
