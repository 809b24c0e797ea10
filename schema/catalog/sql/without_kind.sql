-- What these schemas hold that no kind of object declares, with a word for what it is.
WITH extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
     mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%(schemas)s))
SELECT CASE c.relkind WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table'
                      ELSE 'child table' END AS kind,
       n.nspname AS schema, c.relname AS name
  FROM pg_class c
  JOIN mine n ON n.oid = c.relnamespace
 WHERE (c.relkind = 'f'
        OR (c.relkind = 'p' AND NOT c.relispartition)
        OR (c.relkind = 'r' AND NOT c.relispartition
            AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)))
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
UNION ALL
SELECT 'range type', n.nspname, t.typname
  FROM pg_type t
  JOIN mine n ON n.oid = t.typnamespace
 WHERE t.typtype = 'r'
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
UNION ALL
SELECT 'rule', n.nspname, c.relname || '.' || r.rulename
  FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  JOIN mine n ON n.oid = c.relnamespace
 WHERE r.rulename <> '_RETURN'
 ORDER BY 1, 2, 3
