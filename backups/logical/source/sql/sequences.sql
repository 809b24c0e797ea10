-- Every sequence that is to go on where it stood: ordinary ones, and the extensions' configuration.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name, f.oid IS NOT NULL AS configuration
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (SELECT unnest(extconfig) AS oid FROM pg_extension) f ON f.oid = c.oid
 WHERE c.relkind = 'S' AND c.relpersistence <> 't'
   AND (f.oid IS NOT NULL OR NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
 ORDER BY 1
