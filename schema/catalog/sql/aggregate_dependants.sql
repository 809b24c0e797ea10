-- What stands on these views by their identity: views (aggregates are views, too), materialized views and functions.
SELECT c.relname AS "table",
       CASE v.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END AS kind,
       CASE WHEN vn.nspname = 'public' THEN v.relname ELSE vn.nspname || '.' || v.relname END AS name,
       pg_get_viewdef(v.oid) AS query,
       coalesce(v.reloptions, '{}') AS options,
       ARRAY(SELECT DISTINCT a.attname::text FROM pg_depend o JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = o.refobjsubid
              WHERE o.classid = 'pg_rewrite'::regclass AND o.objid = w.oid AND o.refobjid = c.oid
                AND o.refclassid = 'pg_class'::regclass AND a.attnum > 0) AS columns
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN LATERAL (SELECT DISTINCT d.objid FROM pg_depend d
                 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                   AND d.refobjid = c.oid) rules ON true
  JOIN pg_rewrite w ON w.oid = rules.objid AND w.ev_class <> c.oid
  JOIN pg_class v ON v.oid = w.ev_class
  JOIN pg_namespace vn ON vn.oid = v.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v'
   AND vn.nspname <> '_timescaledb_internal'
UNION ALL
SELECT c.relname, 'function', p.oid::regprocedure::text, NULL, '{}', '{}'
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = d.objid
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v'
 ORDER BY 1, 2, 3
