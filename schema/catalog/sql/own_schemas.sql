-- Schemas that people made: neither the server's nor an extension's.
SELECT n.nspname AS name
  FROM pg_namespace n
 WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM pg_depend e
                    WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
 ORDER BY n.nspname <> 'public', n.nspname
