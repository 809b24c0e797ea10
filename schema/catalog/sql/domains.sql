-- Domains of one schema with their checks.
SELECT t.typname AS name,
       format_type(t.typbasetype, t.typtypmod) AS type,
       pg_get_expr(t.typdefaultbin, 0, true) AS "default",
       NOT t.typnotnull AS "null",
       CASE WHEN t.typcollation <> b.typcollation THEN t.typcollation::regcollation::text END AS collation,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'name', k.conname, 'expression', pg_get_expr(k.conbin, 0, true), 'validated', k.convalidated,
                   'comment', obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname), '[]')
          FROM pg_constraint k
         WHERE k.contypid = t.oid AND k.contype = 'c') AS checks,
       obj_description(t.oid, 'pg_type') AS comment
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  JOIN pg_type b ON b.oid = t.typbasetype
 WHERE n.nspname = %(schema)s AND t.typname = ANY(%(names)s) AND t.typtype = 'd'
