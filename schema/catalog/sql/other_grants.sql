-- Grants and default privileges that belong to no declared object, as people read them.
SELECT 'schema ' || quote_ident(n.nspname) AS name,
       format('%%s granted to %%s', lower(string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
              CASE a.grantee WHEN 0 THEN 'public' ELSE a.grantee::regrole::text END) AS text
  FROM pg_namespace n, aclexplode(n.nspacl) a
 WHERE n.nspname = ANY(%(schemas)s) AND a.grantee <> n.nspowner
   -- what the login needs for itself, and what every new database has
   AND a.grantee <> current_user::regrole
   AND NOT (n.nspname = 'public' AND a.grantee = 0
            AND (a.privilege_type = 'USAGE' OR current_setting('server_version_num')::int < 150000))
 GROUP BY n.nspname, a.grantee
UNION ALL
SELECT 'schema ' || quote_ident(n.nspname), 'owned by ' || n.nspowner::regrole::text
  FROM pg_namespace n
 WHERE n.nspname = ANY(%(schemas)s) AND n.nspowner <> current_user::regrole AND n.nspname <> 'public'
UNION ALL
SELECT 'default privileges of ' || d.defaclrole::regrole::text
         || CASE WHEN d.defaclnamespace = 0 THEN '' ELSE ' in schema ' || d.defaclnamespace::regnamespace::text END,
       format('%%s on %%s to %%s', lower(string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)),
              CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                   WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END,
              CASE a.grantee WHEN 0 THEN 'public' ELSE a.grantee::regrole::text END)
  FROM pg_default_acl d, aclexplode(d.defaclacl) a
 WHERE (d.defaclnamespace = 0 OR d.defaclnamespace::regnamespace::text = ANY(%(schemas)s)) AND a.grantee <> d.defaclrole
 GROUP BY d.oid, d.defaclrole, d.defaclnamespace, d.defaclobjtype, a.grantee
UNION ALL
SELECT 'default privileges of ' || d.defaclrole::regrole::text,
       CASE d.defaclobjtype WHEN 'f' THEN 'execute on functions not to public' ELSE 'usage on types not to public' END
  FROM pg_default_acl d
 WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
   AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0)
UNION ALL
SELECT 'schema public', 'usage not granted to public'
  FROM pg_namespace n
 WHERE n.nspname = 'public' AND n.nspname = ANY(%(schemas)s) AND n.nspacl IS NOT NULL
   AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')
 ORDER BY 1, 2
