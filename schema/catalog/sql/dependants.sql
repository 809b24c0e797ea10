-- What stands on these relations' columns, directly or through views; ids are the catalogs' own.
WITH RECURSIVE bases AS (
    SELECT c.oid, CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS base
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
), wanted AS (
    SELECT oid, base FROM bases WHERE base = ANY(%(names)s)
), uses AS (
    -- a rule of a view stands for the view, and is made again with it, as its triggers are
    SELECT d.refobjid AS relation, d.refobjsubid AS place, r.ev_class AS dependant,
           pg_describe_object(d.classid, d.objid, d.objsubid) AS description
      FROM pg_depend d
      LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
     WHERE d.refclassid = 'pg_class'::regclass AND d.deptype = 'n'
       AND d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass)
       AND r.ev_class IS DISTINCT FROM d.refobjid
), standing AS (
    SELECT w.base, u.place, u.dependant, u.description, 1 AS depth
      FROM wanted w
      JOIN uses u ON u.relation = w.oid
    UNION
    SELECT s.base, s.place, u.dependant, u.description, s.depth + 1
      FROM standing s
      JOIN uses u ON u.relation = s.dependant
)
SELECT s.base, coalesce(a.attname, '') AS "column", c.relkind AS kind, n.nspname AS schema, c.relname AS name,
       CASE WHEN c.relkind = 'm' THEN 'materialized view ' || c.oid::regclass::text ELSE s.description END
         AS description,
       max(s.depth) AS depth
  FROM standing s
  JOIN wanted w ON w.base = s.base
  LEFT JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum = s.place AND s.place > 0
  LEFT JOIN pg_class c ON c.oid = s.dependant
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
 GROUP BY s.base, a.attname, c.relkind, n.nspname, c.relname, c.oid, s.description
 ORDER BY s.base, depth, 5
