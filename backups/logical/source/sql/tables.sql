-- Everything that holds rows of its own, as pg_dump sees it: ordinary tables, and the extensions' configuration tables.
-- `condition` picks the rows of a configuration table that are the database's own. Only of these are columns gathered:
-- most of a catalog is the server's own.
WITH configuration AS (
    SELECT each.oid, nullif(each.condition, '') AS condition, e.extname, each.number
      FROM pg_extension e,
           unnest(e.extconfig, e.extcondition) WITH ORDINALITY AS each (oid, condition, number)
), own AS MATERIALIZED (
    SELECT c.oid, c.relname, c.reltoastrelid, n.nspname, f.extname, f.condition, f.number
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN configuration f ON f.oid = c.oid
     WHERE c.relkind = 'r' AND c.relpersistence <> 't'
       AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
       AND (f.oid IS NOT NULL OR NOT EXISTS (
                SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
), columns AS (
    SELECT a.attrelid, array_agg(a.attname::text ORDER BY a.attnum) AS names,
           bool_or(t.typname = 'compressed_data') AS compressed
      FROM own JOIN pg_attribute a ON a.attrelid = own.oid JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     GROUP BY a.attrelid
)
SELECT own.oid::bigint AS oid, own.nspname::text AS schema, own.relname::text AS name,
       quote_ident(own.nspname) || '.' || quote_ident(own.relname) AS full_name, columns.names AS column_names,
       own.extname::text AS extension, own.condition, columns.compressed,
       pg_relation_size(own.oid) + coalesce(pg_relation_size(nullif(own.reltoastrelid, 0)), 0) AS bytes,
       pg_relation_size(own.oid) / current_setting('block_size')::bigint AS blocks
  FROM own JOIN columns ON columns.attrelid = own.oid
 ORDER BY own.extname NULLS LAST, own.number, own.nspname, own.relname
