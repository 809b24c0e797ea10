-- Objects of catalogs that no kind of object declares anything of; what came with the server or an extension is none.
WITH rare AS (
  -- the rows of parts/rare_objects.sql
)
SELECT i.type AS kind, i.identity AS name
  FROM rare r
  LEFT JOIN pg_namespace n ON n.oid = r.namespace
 CROSS JOIN LATERAL pg_identify_object(r.classid, r.oid, 0) i
 WHERE r.oid >= 16384
   AND (n.nspname = ANY(%(schemas)s) OR (r.namespace IS NULL AND %(whole)s))
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = r.classid AND e.objid = r.oid AND e.deptype = 'e')
 ORDER BY 1, 2
