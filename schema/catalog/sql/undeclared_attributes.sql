-- What tables and materialized views of these schemas, their columns, indexes, statistics and sequences have that no declaration has.
WITH mine AS (
  SELECT c.*, CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END AS prefix
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY(%(schemas)s) AND NOT c.relispartition
     AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                                               AND e.deptype = 'e')
), column_sequences AS (
  -- the rows of parts/column_sequences.sql
)
SELECT c.prefix || c.relname AS name, 'tablespace is ' || t.spcname AS attribute
  FROM mine c JOIN pg_tablespace t ON t.oid = c.reltablespace
 WHERE c.relkind IN ('r', 'i')
UNION ALL
SELECT c.prefix || c.relname, 'access method is ' || m.amname
  FROM mine c JOIN pg_am m ON m.oid = c.relam
 WHERE c.relkind = 'r' AND m.amname <> 'heap'
UNION ALL
SELECT c.prefix || c.relname || '.' || a.attname, 'column options are ' || o.options
  FROM mine c JOIN pg_attribute a ON a.attrelid = c.oid,
       LATERAL (SELECT string_agg(o, ', ' ORDER BY o) AS options FROM unnest(a.attoptions) o
                 WHERE o NOT LIKE 'pg\_attver=%%') o
 WHERE c.relkind IN ('r', 'm') AND o.options IS NOT NULL
UNION ALL
SELECT c.prefix || c.relname || '.' || a.attname, s.attribute
  FROM mine c
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  JOIN pg_type t ON t.oid = a.atttypid,
       LATERAL (VALUES ('statistics target is ' || nullif(a.attstattarget, -1)),
                       ('storage is ' || CASE WHEN a.attstorage <> t.typstorage
                                              THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                                                     WHEN 'm' THEN 'main' ELSE 'extended' END END),
                       ('compression is ' || CASE to_jsonb(a) ->> 'attcompression' WHEN 'p' THEN 'pglz'
                                                                                 WHEN 'l' THEN 'lz4' END)) s (attribute)
 WHERE c.relkind = 'm' AND s.attribute IS NOT NULL
UNION ALL
SELECT c.prefix || c.relname, 'mark for CLUSTER is on ' || ic.relname
  FROM mine c
  JOIN pg_index i ON i.indrelid = c.oid AND i.indisclustered
  JOIN pg_class ic ON ic.oid = i.indexrelid
 WHERE c.relkind = 'm'
UNION ALL
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || s.stxname,
       'statistics target is ' || s.stxstattarget
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND s.stxstattarget >= 0
UNION ALL
SELECT t.prefix || t.relname || '.' || a.attname,
       'sequence is ' || CASE c.relpersistence WHEN 'u' THEN 'unlogged, its table is not' ELSE 'logged, its table is not' END
  FROM mine c
  JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'i'
                  AND o.refclassid = 'pg_class'::regclass
  JOIN mine t ON t.oid = o.refobjid
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
 WHERE c.relkind = 'S' AND c.relpersistence <> t.relpersistence AND current_setting('server_version_num')::int >= 150000
UNION ALL
-- a sequence that keeps the name which its table or its column had when it was created
SELECT t.prefix || t.relname || '.' || a.attname,
       format('sequence is %%s and not %%s_%%s_seq', c.relname, t.relname, a.attname)
  FROM mine c
  JOIN column_sequences o ON o.sequence = c.oid
  JOIN mine t ON t.oid = o."table"
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.number
 WHERE octet_length(t.relname || '_' || a.attname || '_seq') < 64
   AND c.relname <> t.relname || '_' || a.attname || '_seq'
 ORDER BY 1, 2
