-- Extended statistics of one schema. What they are kept of beside columns stands among these as (expression).
-- PostgreSQL 13 has no column stxexprs.
SELECT s.stxname AS name, CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table",
       ARRAY(SELECT a.attname::text
               FROM unnest(s.stxkeys) WITH ORDINALITY AS k (number, place)
               JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k.number
              ORDER BY k.place)
       || CASE WHEN to_jsonb(s) ->> 'stxexprs' IS NULL THEN '{}'::text[] ELSE '{(expression)}' END AS columns,
       ARRAY(SELECT CASE k.kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END
               FROM unnest(s.stxkind) WITH ORDINALITY AS k (kind, place)
              WHERE k.kind IN ('d', 'f', 'm')
              ORDER BY k.place) AS kinds,
       obj_description(s.oid, 'pg_statistic_ext') AS comment
  FROM pg_statistic_ext s
  JOIN pg_namespace m ON m.oid = s.stxnamespace
  JOIN pg_class c ON c.oid = s.stxrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE m.nspname = %(schema)s AND s.stxname = ANY(%(names)s)
