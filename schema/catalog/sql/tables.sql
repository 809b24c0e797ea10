-- Tables of one schema with their columns, in order; a table without columns has one row of nulls.
-- What a server before PostgreSQL 14 or 18 has no column for is read by way of jsonb.
SELECT c.relname AS "table",
       obj_description(c.oid, 'pg_class') AS table_comment,
       c.relpersistence = 'u' AS unlogged,
       coalesce(c.reloptions, '{}')
         || ARRAY(SELECT 'toast.' || o FROM pg_class t, unnest(t.reloptions) o WHERE t.oid = c.reltoastrelid) AS options,
       c.reltoastrelid <> 0 AS toasted,
       CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN
         coalesce((SELECT ic.relname::text FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
                    WHERE i.indrelid = c.oid AND i.indisreplident), 'nothing') ELSE 'default' END AS replica_identity,
       (SELECT ic.relname::text FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisclustered) AS cluster,
       a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS "null",
       CASE WHEN a.attgenerated = '' AND s.oid IS NULL THEN pg_get_expr(d.adbin, d.adrelid, true) END AS "default",
       s.oid IS NOT NULL AS serial,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid, true) END AS generated,
       a.attgenerated = 'v' AS virtual,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation,
       CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage
         WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END AS storage,
       CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       nullif(a.attstattarget, -1) AS statistics,
       q.numbers,
       col_description(c.oid, a.attnum) AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN LATERAL (
       -- a sequence that the column owns and of which its default is the next number: what SERIAL stands for
       SELECT owned.objid AS oid
         FROM pg_depend owned
         JOIN pg_depend used ON used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid
                            AND used.refclassid = 'pg_class'::regclass AND used.refobjid = owned.objid
        WHERE pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(''[^'']*''::regclass\)$'
          AND owned.classid = 'pg_class'::regclass AND owned.refclassid = 'pg_class'::regclass
          AND owned.refobjid = c.oid AND owned.refobjsubid = a.attnum AND owned.deptype = 'a'
        LIMIT 1) s ON true
  LEFT JOIN LATERAL (
       SELECT jsonb_build_object('type', p.seqtypid::regtype::text, 'start', p.seqstart, 'increment', p.seqincrement,
                                 'minimum', p.seqmin, 'maximum', p.seqmax, 'cache', p.seqcache, 'cycle', p.seqcycle)
              AS numbers
         FROM pg_depend own
         JOIN pg_sequence p ON p.seqrelid = own.objid
        WHERE own.classid = 'pg_class'::regclass AND own.refclassid = 'pg_class'::regclass AND own.refobjid = c.oid
          AND own.refobjsubid = a.attnum AND (own.deptype = 'i' OR own.objid = s.oid)
        LIMIT 1) q ON a.attidentity <> '' OR s.oid IS NOT NULL
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
 ORDER BY c.relname, a.attnum
