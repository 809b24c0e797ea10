-- What these schemas hold that no kind of object declares, with a word for what it is.
WITH extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
     mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%(schemas)s)),
     without_kind AS (
  -- the rows of parts/relations_without_kind.sql
)
SELECT w.kind, n.nspname AS schema, w.name
  FROM without_kind w
  JOIN mine n ON n.oid = w.namespace
 WHERE NOT EXISTS (SELECT FROM extensions e WHERE e.classid = w.classid AND e.objid = w.oid)
UNION ALL
SELECT 'rule', n.nspname, c.relname || '.' || r.rulename
  FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN mine n ON n.oid = c.relnamespace
 WHERE r.rulename <> '_RETURN'
 ORDER BY 1, 2, 3
