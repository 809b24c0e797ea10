-- Columns over an object o (owner, acl, kind, namespace): owner where it is not the login, grants, what new ones get
-- by default.
       CASE WHEN o.owner <> current_user::regrole THEN o.owner::regrole::text END AS owner,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.privileges, NULL, g.role) ORDER BY g.role), '[]')
          FROM (SELECT string_agg(a.privilege_type, ', ')
                       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                  FROM aclexplode(o.acl) a
                 WHERE a.grantee <> o.owner
                 GROUP BY a.grantee, a.is_grantable) g) AS granted,
       ARRAY(SELECT 'PUBLIC' UNION
             SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
               FROM pg_default_acl d, aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = o.kind AND d.defaclrole = current_user::regrole
                AND d.defaclnamespace IN (0, o.namespace) AND a.grantee <> d.defaclrole ORDER BY 1) AS withdrawn,