-- Owner, grants and dependants of the types of one schema, by name.
SELECT t.typname AS name,
       CASE WHEN t.typowner <> current_user::regrole THEN t.typowner::regrole::text END AS owner,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.privileges, NULL, g.role) ORDER BY g.role), '[]')
          FROM (SELECT a.privilege_type || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                  FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a
                 WHERE a.grantee <> t.typowner) g) AS granted,
       ARRAY(SELECT 'PUBLIC' UNION
             SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
               FROM pg_default_acl d, aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = 'T' AND d.defaclrole = current_user::regrole
                AND d.defaclnamespace IN (0, t.typnamespace) AND a.grantee <> d.defaclrole ORDER BY 1) AS withdrawn,
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
               FROM pg_depend d
               LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
              WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray) AND d.deptype = 'n'
                AND c.relnamespace IS DISTINCT FROM to_regnamespace('_timescaledb_internal')
              ORDER BY 1) AS dependants
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname = %(schema)s AND t.typname = ANY(%(names)s) AND t.typtype IN ('d', 'c')
