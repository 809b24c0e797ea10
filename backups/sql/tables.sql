-- Everything that holds rows of its own, as pg_dump sees it: ordinary tables, and the extensions' configuration tables.
-- `condition` picks the rows of a configuration table that are the database's own.
WITH columns AS (
    SELECT a.attrelid, array_agg(a.attname::text ORDER BY a.attnum) AS names,
           bool_or(t.typname = 'compressed_data') AS compressed
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     GROUP BY a.attrelid
), configuration AS (
    SELECT each.oid, nullif(each.condition, '') AS condition, e.extname, each.number
      FROM pg_extension e,
           unnest(e.extconfig, e.extcondition) WITH ORDINALITY AS each (oid, condition, number)
)
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name, columns.names AS column_names,
       f.extname::text AS extension, f.condition, columns.compressed,
       pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) AS bytes,
       pg_relation_size(c.oid) / current_setting('block_size')::bigint AS blocks
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN columns ON columns.attrelid = c.oid
  LEFT JOIN configuration f ON f.oid = c.oid
 WHERE c.relkind = 'r' AND c.relpersistence <> 't'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
   AND (f.oid IS NOT NULL OR NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
 ORDER BY f.extname NULLS LAST, f.number, n.nspname, c.relname
