-- Owner, grants and dependants of the types of one schema, by name.
SELECT t.typname AS name,
       -- the columns of parts/rights.sql
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
               FROM pg_depend d
               LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
              WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
                AND c.relnamespace IS DISTINCT FROM to_regnamespace('_timescaledb_internal')
              ORDER BY 1) AS dependants
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
 CROSS JOIN LATERAL (SELECT t.typowner AS owner, coalesce(t.typacl, acldefault('T', t.typowner)) AS acl, 'T'::"char" AS kind,
                             t.typnamespace AS namespace) o
 WHERE n.nspname = %(schema)s AND t.typname = ANY(%(names)s) AND t.typtype IN ('d', 'c')
