-- Columns of a query over views c: owner where it is not the login, grants, what new ones get by default.
       CASE WHEN c.relowner <> current_user::regrole THEN c.relowner::regrole::text END AS owner,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.privileges, g.column, g.role) ORDER BY g.role, g.column), '[]')
          FROM (SELECT string_agg(a.privilege_type, ', ')
                       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges,
                       a.column, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                  FROM (SELECT x.*, NULL::text AS column
                          FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
                        UNION ALL
                        SELECT x.*, t.attname::text
                          FROM pg_attribute t, aclexplode(t.attacl) x
                         WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) a
                 WHERE a.grantee <> c.relowner
                 GROUP BY a.grantee, a.column, a.is_grantable) g) AS granted,
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
               FROM pg_default_acl d, aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = 'r' AND d.defaclrole = current_user::regrole
                AND d.defaclnamespace IN (0, c.relnamespace) AND a.grantee <> d.defaclrole ORDER BY 1) AS withdrawn
