-- What stands, directly or not, on what no kind of object declares or what was refused (`refused`: catalog, schema and name
-- of each), with the name of that: tables, views, sequences, types, routines, statistics; a foreign key by itself. A thing
-- that belongs to a table, such as a default, stands for its table.
WITH RECURSIVE mine AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%(schemas)s)), rare AS (
  -- the rows of parts/rare_objects.sql
), without_kind AS (
  -- the rows of parts/relations_without_kind.sql
), refused AS (
  SELECT r.catalog, n.oid AS namespace, r.name
    FROM unnest(%(catalogs)s::text[], %(refused_schemas)s::text[], %(names)s::text[]) AS r (catalog, schema, name)
    JOIN pg_namespace n ON n.nspname = r.schema
), left_out(classid, objid, name) AS (
  SELECT w.classid::oid, w.oid, format('%%s.%%s', n.nspname, w.name)
    FROM without_kind w
    JOIN mine n ON n.oid = w.namespace
  UNION ALL
  SELECT 'pg_class'::regclass, c.oid, format('%%s.%%s', n.nspname, c.relname)
    FROM pg_class c
    JOIN mine n ON n.oid = c.relnamespace
    JOIN refused r ON r.catalog = 'pg_class' AND r.namespace = c.relnamespace AND r.name = c.relname
  UNION ALL
  SELECT 'pg_type'::regclass, t.oid, format('%%s.%%s', n.nspname, t.typname)
    FROM pg_type t
    JOIN mine n ON n.oid = t.typnamespace
    JOIN refused r ON r.catalog = 'pg_type' AND r.namespace = t.typnamespace AND r.name = t.typname
  UNION ALL
  SELECT 'pg_proc'::regclass, p.oid, format('%%s.%%s', n.nspname, p.proname)
    FROM pg_proc p
    JOIN mine n ON n.oid = p.pronamespace
    JOIN refused r ON r.catalog = 'pg_proc' AND r.namespace = p.pronamespace AND r.name = p.proname
  UNION ALL
  SELECT r.classid, r.oid, i.identity
    FROM rare r
    LEFT JOIN mine n ON n.oid = r.namespace
   CROSS JOIN LATERAL pg_identify_object(r.classid, r.oid, 0) i
   WHERE r.oid >= 16384 AND (n.oid IS NOT NULL OR r.namespace IS NULL)
), own AS (
  SELECT l.*
    FROM left_out l
   WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = l.classid AND e.objid = l.objid AND e.deptype = 'e')
), standing(classid, objid, name) AS (
  SELECT classid, objid, name FROM own
  UNION
  SELECT o.classid, o.objid, s.name
    FROM standing s
    JOIN pg_depend d ON d.refclassid = s.classid AND d.refobjid = s.objid AND d.deptype IN ('n', 'a', 'i', 'P', 'S')
   CROSS JOIN LATERAL (
         -- a rule, a default, a trigger, a policy, an index: its table or view
         SELECT 'pg_class'::regclass::oid, ev_class FROM pg_rewrite
          WHERE d.classid = 'pg_rewrite'::regclass AND oid = d.objid
         UNION ALL SELECT 'pg_class'::regclass, adrelid FROM pg_attrdef
          WHERE d.classid = 'pg_attrdef'::regclass AND oid = d.objid
         UNION ALL SELECT 'pg_class'::regclass, tgrelid FROM pg_trigger
          WHERE d.classid = 'pg_trigger'::regclass AND oid = d.objid AND NOT tgisinternal
         UNION ALL SELECT 'pg_class'::regclass, polrelid FROM pg_policy
          WHERE d.classid = 'pg_policy'::regclass AND oid = d.objid
         UNION ALL SELECT 'pg_class'::regclass, indrelid FROM pg_index
          WHERE d.classid = 'pg_class'::regclass AND indexrelid = d.objid
         UNION ALL SELECT CASE WHEN conrelid = 0 THEN 'pg_type' WHEN contype = 'f' THEN 'pg_constraint'
                               ELSE 'pg_class' END::regclass,
                          CASE WHEN conrelid = 0 THEN contypid WHEN contype = 'f' THEN oid ELSE conrelid END
           FROM pg_constraint WHERE d.classid = 'pg_constraint'::regclass AND oid = d.objid
         UNION ALL SELECT 'pg_type'::regclass, reltype FROM pg_class
          WHERE d.classid = 'pg_class'::regclass AND oid = d.objid AND relkind = 'c'
         UNION ALL SELECT d.classid, d.objid
          WHERE d.classid NOT IN ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_trigger'::regclass,
                                  'pg_policy'::regclass, 'pg_constraint'::regclass)
         ) AS o (classid, objid)
), named AS (
  SELECT s.*, 'pg_class' AS catalog, c.relnamespace AS namespace, c.relname AS object, '' AS inputs, NULL AS key, c.relispartition AS partition
    FROM standing s JOIN pg_class c ON s.classid = 'pg_class'::regclass AND c.oid = s.objid
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL
  SELECT s.*, 'pg_class', c.relnamespace, c.relname, '', k.conname, false
    FROM standing s JOIN pg_constraint k ON s.classid = 'pg_constraint'::regclass AND k.oid = s.objid
    JOIN pg_class c ON c.oid = k.conrelid
  UNION ALL
  SELECT s.*, 'pg_type', t.typnamespace, t.typname, '', NULL, false
    FROM standing s JOIN pg_type t ON s.classid = 'pg_type'::regclass AND t.oid = s.objid
   WHERE t.typtype IN ('d', 'e') OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
  UNION ALL
  SELECT s.*, 'pg_proc', p.pronamespace, p.proname, oidvectortypes(p.proargtypes), NULL, false
    FROM standing s JOIN pg_proc p ON s.classid = 'pg_proc'::regclass AND p.oid = s.objid
  UNION ALL
  SELECT s.*, 'pg_statistic_ext', x.stxnamespace, x.stxname, '', NULL, false
    FROM standing s JOIN pg_statistic_ext x ON s.classid = 'pg_statistic_ext'::regclass AND x.oid = s.objid
)
SELECT DISTINCT ON (n.catalog, m.nspname, n.object, n.inputs, n.key)
       n.catalog, m.nspname AS schema, n.object::text AS name, n.inputs, n.key::text AS key, n.partition,
       regexp_replace(n.name, '^public\.', '') AS "on"
  FROM named n
  JOIN mine m ON m.oid = n.namespace
 WHERE NOT EXISTS (SELECT FROM own WHERE own.classid = n.classid AND own.objid = n.objid)
 ORDER BY n.catalog, m.nspname, n.object, n.inputs, n.key, n.name
