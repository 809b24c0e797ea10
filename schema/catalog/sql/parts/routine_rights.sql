-- Columns of a query over routines p: owner where it is not the login, grants, what new ones get by default, dependants.
       CASE WHEN p.proowner <> current_user::regrole THEN p.proowner::regrole::text END AS owner,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.privileges, NULL, g.role) ORDER BY g.role), '[]')
          FROM (SELECT string_agg(a.privilege_type, ', ')
                       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                  FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                 WHERE a.grantee <> p.proowner
                 GROUP BY a.grantee, a.is_grantable) g) AS granted,
       ARRAY(SELECT 'PUBLIC' UNION
             SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
               FROM pg_default_acl d, aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = 'f' AND d.defaclrole = current_user::regrole
                AND d.defaclnamespace IN (0, p.pronamespace) AND a.grantee <> d.defaclrole ORDER BY 1) AS withdrawn,
       -- a trigger of a chunk comes and goes with its hypertable's
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
               FROM pg_depend d
               LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
               LEFT JOIN pg_class c ON c.oid = t.tgrelid
              WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.deptype IN ('n', 'a')
                AND c.relnamespace IS DISTINCT FROM to_regnamespace('_timescaledb_internal')
              ORDER BY 1) AS dependants
