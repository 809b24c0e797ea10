-- Schemas by name, with comment and default privileges: (role that creates, objects, role that gets, privilege, grantable),
-- the creating role null where it is this login. What every new database says of public is no comment.
SELECT n.nspname AS name,
       nullif(obj_description(n.oid, 'pg_namespace'),
              CASE n.nspname WHEN 'public' THEN 'standard public schema' END) AS comment,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                 CASE WHEN d.defaclrole <> current_user::regrole THEN pg_get_userbyid(d.defaclrole)::text END,
                 CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                      ELSE 'types' END,
                 CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
                 lower(a.privilege_type), a.is_grantable)
               ORDER BY pg_get_userbyid(d.defaclrole), d.defaclobjtype, a.place), '[]')
          FROM pg_default_acl d,
               aclexplode(d.defaclacl) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, place)
         WHERE d.defaclnamespace = n.oid) AS default_grants
  FROM pg_namespace n
 WHERE n.nspname = ANY(%(names)s)
