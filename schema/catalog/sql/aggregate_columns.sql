-- Columns of these views, in order, with the views' own comments, and whether the stored query has another name for one.
SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       col_description(c.oid, a.attnum) AS comment, obj_description(c.oid, 'pg_class') AS table_comment,
       a.attname ~ '^[a-z_][a-z0-9_]*$'
       AND coalesce(position(':resname ' || a.attname || ' ' IN r.ev_action::text) = 0, false) AS stale
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_rewrite r ON r.ev_class = c.oid AND r.rulename = '_RETURN'
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v'
 ORDER BY c.relname, a.attnum
