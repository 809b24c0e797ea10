-- Objects of catalogs that no kind of object declares anything of: (catalog, oid, namespace if it has one).
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