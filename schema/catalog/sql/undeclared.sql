-- What these schemas hold that belongs to no extension and is no partition: tables, views, functions, types, sequences,
-- collations, extended statistics; and extensions, with whether this login may drop them. TimescaleDB is the server's.
WITH extensions AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
     column_sequences AS (
  -- the rows of parts/column_sequences.sql
)
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
       n.nspname AS schema, c.relname AS name, c.relname AS signature, c.oid::bigint AS oid
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
UNION ALL
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate function' ELSE 'function' END, n.nspname,
       p.proname, p.proname || '(' || CASE WHEN p.prokind = 'a' AND pg_get_function_identity_arguments(p.oid) = '' THEN '*'
                                           ELSE pg_get_function_identity_arguments(p.oid) END || ')', p.oid::bigint
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY(%(schemas)s)
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
   -- what a range type made of itself
   AND NOT EXISTS (SELECT FROM pg_depend i
                    WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')
UNION ALL
SELECT 'enum', n.nspname, t.typname, t.typname, t.oid::bigint
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND t.typtype = 'e'
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
UNION ALL
SELECT 'statistics object', n.nspname, s.stxname, s.stxname, s.oid::bigint
  FROM pg_statistic_ext s
  JOIN pg_namespace n ON n.oid = s.stxnamespace
 WHERE n.nspname = ANY(%(schemas)s)
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_statistic_ext'::regclass AND e.objid = s.oid)
UNION ALL
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'composite type' END, n.nspname, t.typname, t.typname, t.oid::bigint
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname = ANY(%(schemas)s)
   AND (t.typtype = 'd' OR (t.typtype = 'c' AND (SELECT c.relkind FROM pg_class c WHERE c.oid = t.typrelid) = 'c'))
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
UNION ALL
-- not those that identity and serial columns have
SELECT 'sequence', n.nspname, c.relname, c.relname, c.oid::bigint
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND c.relkind = 'S'
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
   AND NOT EXISTS (SELECT FROM column_sequences o WHERE o.sequence = c.oid)
UNION ALL
SELECT 'collation', n.nspname, o.collname, o.collname, o.oid::bigint
  FROM pg_collation o
  JOIN pg_namespace n ON n.oid = o.collnamespace
 WHERE n.nspname = ANY(%(schemas)s)
   AND NOT EXISTS (SELECT FROM extensions e WHERE e.classid = 'pg_collation'::regclass AND e.objid = o.oid)
UNION ALL
-- those in pg_catalog are created where the database's own objects are
SELECT 'extension', n.nspname, x.extname, quote_ident(x.extname), x.oid::bigint
  FROM pg_extension x
  JOIN pg_namespace n ON n.oid = x.extnamespace
 WHERE (n.nspname = ANY(%(schemas)s) OR (n.nspname = 'pg_catalog' AND 'public' = ANY(%(schemas)s)))
   AND x.extname NOT IN ('timescaledb', 'plpgsql')
   AND (%(all_extensions)s OR pg_has_role(x.extowner, 'USAGE'))
UNION ALL
SELECT 'schema', n.nspname, n.nspname, quote_ident(n.nspname), n.oid::bigint
  FROM pg_namespace n
 WHERE n.nspname = ANY(%(schemas)s)
 ORDER BY 5
