-- Composite types of one schema with their attributes in order; not the row types of tables and views.
SELECT c.relname AS name,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                   'collation', CASE WHEN a.attcollation <> b.typcollation THEN a.attcollation::regcollation::text END,
                   'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum), '[]')
          FROM pg_attribute a
          JOIN pg_type b ON b.oid = a.atttypid
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS attributes,
       obj_description(c.reltype, 'pg_type') AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'c'
