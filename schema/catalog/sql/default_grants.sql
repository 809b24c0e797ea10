-- What others get of this login's new objects by the default privileges, by (schema, type of object).
SELECT n.nspname AS schema, k.kind::text AS kind,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                 CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
                 lower(a.privilege_type), NULL, a.is_grantable)), '[]')
          FROM (SELECT x.*
                  FROM aclexplode(coalesce((SELECT d.defaclacl FROM pg_default_acl d
                                             WHERE d.defaclrole = current_user::regrole AND d.defaclnamespace = 0
                                               AND d.defaclobjtype = k.kind),
                                           acldefault(CASE k.kind WHEN 'S' THEN 's' ELSE k.kind END,
                                                      current_user::regrole))) x
                UNION
                SELECT x.*
                  FROM pg_default_acl d, aclexplode(d.defaclacl) x
                 WHERE d.defaclrole = current_user::regrole AND d.defaclnamespace = n.oid AND d.defaclobjtype = k.kind) a
         WHERE a.grantee <> current_user::regrole) AS granted
  FROM pg_namespace n, unnest('{r,f,T,S}'::"char"[]) AS k (kind)
 WHERE n.nspname = ANY(%(schemas)s)
