-- Who needs these (catalog, id and column of each): what the server does not let go without, with the table or view that it
-- is part of, and the name of what it uses. What goes by itself, such as a table's own indexes, is looked at likewise.
WITH RECURSIVE going AS (
  SELECT r.catalog::regclass::oid AS catalog, r.id::oid AS id, r."column",
         r.catalog::regclass::oid AS classid, r.id::oid AS objid, r."column" AS objsubid
    FROM unnest(%(catalogs)s::text[], %(ids)s::bigint[], %(columns)s::int[]) AS r (catalog, id, "column")
  UNION
  SELECT g.catalog, g.id, g."column", d.classid, d.objid, d.objsubid
    FROM going g
    JOIN pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid AND d.deptype IN ('i', 'a', 'P', 'S', 'e')
                    AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
), users AS (
  SELECT DISTINCT g.catalog, g.id, g."column", d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid
    FROM going g
    JOIN pg_depend d ON d.refclassid = g.classid AND d.refobjid = g.objid AND d.deptype = 'n'
                    AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
   WHERE NOT EXISTS (SELECT FROM going o WHERE (o.catalog, o.id, o."column") = (g.catalog, g.id, g."column")
                        AND o.classid = d.classid AND o.objid = d.objid AND o.objsubid IN (0, d.objsubid))
), owned AS (
  SELECT u.*, 'pg_class' AS owner_catalog, r.ev_class AS owner, NULL AS kind, NULL AS part
    FROM users u JOIN pg_rewrite r ON u.classid = 'pg_rewrite'::regclass AND r.oid = u.objid
  UNION ALL
  SELECT u.*, 'pg_class', a.attrelid, 'column', a.attname
    FROM users u
    LEFT JOIN pg_attrdef f ON u.classid = 'pg_attrdef'::regclass AND f.oid = u.objid
    JOIN pg_attribute a ON (a.attrelid, a.attnum) = (f.adrelid, f.adnum)
                        OR (u.classid = 'pg_class'::regclass AND u.objsubid > 0
                            AND (a.attrelid, a.attnum) = (u.objid, u.objsubid))
  UNION ALL
  SELECT u.*, 'pg_class', k.conrelid, CASE k.contype WHEN 'f' THEN 'foreign key' ELSE 'constraint' END, k.conname
    FROM users u JOIN pg_constraint k ON u.classid = 'pg_constraint'::regclass AND k.oid = u.objid AND k.conrelid > 0
   WHERE k.conparentid = 0
  UNION ALL
  SELECT u.*, 'pg_type', k.contypid, NULL, NULL
    FROM users u JOIN pg_constraint k ON u.classid = 'pg_constraint'::regclass AND k.oid = u.objid AND k.contypid > 0
  UNION ALL
  SELECT u.*, 'pg_class', t.tgrelid, 'trigger', t.tgname
    FROM users u JOIN pg_trigger t ON u.classid = 'pg_trigger'::regclass AND t.oid = u.objid AND NOT t.tgisinternal
  UNION ALL
  SELECT u.*, 'pg_class', p.polrelid, 'policy', p.polname
    FROM users u JOIN pg_policy p ON u.classid = 'pg_policy'::regclass AND p.oid = u.objid
  UNION ALL
  SELECT u.*, 'pg_class', i.indrelid, 'index', c.relname
    FROM users u
    JOIN pg_class c ON u.classid = 'pg_class'::regclass AND c.oid = u.objid AND u.objsubid = 0
    JOIN pg_index i ON i.indexrelid = c.oid
  UNION ALL
  SELECT u.*, 'pg_class', c.oid, NULL, NULL
    FROM users u JOIN pg_class c ON u.classid = 'pg_class'::regclass AND c.oid = u.objid AND u.objsubid = 0
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     AND (c.relkind <> 'r' OR c.relnamespace IS DISTINCT FROM to_regnamespace('_timescaledb_internal'))
  UNION ALL
  SELECT u.*, u.classid::regclass::text, u.objid, NULL, NULL
    FROM users u
   WHERE u.classid NOT IN ('pg_rewrite'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass,
                           'pg_trigger'::regclass, 'pg_policy'::regclass, 'pg_class'::regclass)
)
SELECT DISTINCT o.catalog::regclass::text AS catalog, o.id::bigint AS id, o."column",
       CASE WHEN c.relkind = 'c' THEN 'pg_type' ELSE o.owner_catalog END AS owner_catalog,
       CASE WHEN c.relkind = 'c' THEN c.reltype ELSE o.owner END::bigint AS owner_id,
       CASE WHEN c.relkind = 'c' THEN 'composite type' WHEN c.relkind IN ('v', 'm') AND o.kind = 'column' THEN i.type
            ELSE coalesce(o.kind, i.type) END AS kind,
       coalesce(n.nspname, i.schema) AS schema, coalesce(c.relname, p.proname, i.name, i.identity) AS name,
       CASE WHEN c.relkind = 'c' OR (c.relkind IN ('v', 'm') AND o.kind = 'column') THEN '' ELSE coalesce(o.part::text, '')
            END AS part,
       coalesce(uc.relname, ue.typname, ut.typname, up.proname, ul.collname, '')::text AS uses
  FROM owned o
 CROSS JOIN LATERAL pg_identify_object(o.owner_catalog::regclass, o.owner, 0) i
  LEFT JOIN pg_class c ON o.owner_catalog = 'pg_class' AND c.oid = o.owner
  LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_proc p ON o.owner_catalog = 'pg_proc' AND p.oid = o.owner
  LEFT JOIN pg_class uc ON o.refclassid = 'pg_class'::regclass AND uc.oid = o.refobjid
  LEFT JOIN pg_type ut ON o.refclassid = 'pg_type'::regclass AND ut.oid = o.refobjid
  LEFT JOIN pg_type ue ON ut.typcategory = 'A' AND ue.oid = ut.typelem
  LEFT JOIN pg_proc up ON o.refclassid = 'pg_proc'::regclass AND up.oid = o.refobjid
  LEFT JOIN pg_collation ul ON o.refclassid = 'pg_collation'::regclass AND ul.oid = o.refobjid
 WHERE c.relkind IS DISTINCT FROM 'r' OR n.nspname <> '_timescaledb_internal'
 ORDER BY 1, 2, 3, schema, name, part
