-- Objects of catalogs that no kind of object declares anything of; what came with the server or an extension is none.
WITH rare AS (
  SELECT 'pg_operator'::regclass AS classid, oid, oprnamespace AS namespace FROM pg_operator
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
  UNION ALL SELECT 'pg_conversion'::regclass, oid, connamespace FROM pg_conversion
  UNION ALL SELECT 'pg_ts_config'::regclass, oid, cfgnamespace FROM pg_ts_config
  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, dictnamespace FROM pg_ts_dict
  UNION ALL SELECT 'pg_cast'::regclass, oid, NULL FROM pg_cast
  UNION ALL SELECT 'pg_language'::regclass, oid, NULL FROM pg_language
  UNION ALL SELECT 'pg_event_trigger'::regclass, oid, NULL FROM pg_event_trigger
  UNION ALL SELECT 'pg_publication'::regclass, oid, NULL FROM pg_publication
  UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_foreign_server'::regclass, oid, NULL FROM pg_foreign_server
)
SELECT i.type AS kind, i.identity AS name
  FROM rare r
  LEFT JOIN pg_namespace n ON n.oid = r.namespace
 CROSS JOIN LATERAL pg_identify_object(r.classid, r.oid, 0) i
 WHERE r.oid >= 16384
   AND (n.nspname = ANY(%(schemas)s) OR (r.namespace IS NULL AND %(whole)s))
   AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = r.classid AND e.objid = r.oid AND e.deptype = 'e')
 ORDER BY 1, 2
