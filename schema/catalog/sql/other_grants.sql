-- What of these schemas themselves, of default privileges and of columns' sequences no object declares: (what it is of,
-- the statement).
WITH granted AS (
    SELECT n.oid, n.nspname, a.grantee, a.is_grantable,
           string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
      FROM pg_namespace n, aclexplode(n.nspacl) a
     WHERE n.nspname = ANY(%(schemas)s) AND a.grantee <> n.nspowner
       -- what the login needs for itself, and what every new database has
       AND a.grantee <> current_user::regrole
       AND NOT (n.nspname = 'public' AND a.grantee = 0
                AND (a.privilege_type = 'USAGE' OR current_setting('server_version_num')::int < 150000))
     GROUP BY n.oid, n.nspname, a.grantee, a.is_grantable
), column_sequences AS (
  -- the rows of parts/column_sequences.sql
), defaults AS (
    SELECT d.*, format('ALTER DEFAULT PRIVILEGES FOR ROLE %%s%%s', d.defaclrole::regrole,
                       CASE WHEN d.defaclnamespace <> 0 THEN ' IN SCHEMA ' || d.defaclnamespace::regnamespace END) AS alter,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS objects
      FROM pg_default_acl d
     WHERE d.defaclnamespace = 0 OR d.defaclnamespace::regnamespace::text = ANY(%(schemas)s)
)
SELECT nspname AS name,
       format('GRANT %%s ON SCHEMA %%I TO %%s%%s', privileges, nspname,
              CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END) AS text
  FROM granted
UNION ALL
SELECT n.nspname, 'REVOKE USAGE ON SCHEMA public FROM PUBLIC'
  FROM pg_namespace n
 WHERE n.nspname = 'public' AND n.nspname = ANY(%(schemas)s) AND n.nspacl IS NOT NULL
   AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'USAGE')
UNION ALL
SELECT n.nspname, format('ALTER SCHEMA %%I OWNER TO %%s', n.nspname, n.nspowner::regrole)
  FROM pg_namespace n
 WHERE n.nspname = ANY(%(schemas)s) AND n.nspowner <> current_user::regrole AND n.nspname <> 'public'
UNION ALL
SELECT n.nspname, format('COMMENT ON SCHEMA %%I IS %%L', n.nspname, regexp_replace(d.text, '\s+', ' ', 'g'))
  FROM pg_namespace n, LATERAL (SELECT obj_description(n.oid, 'pg_namespace') AS text) d
 WHERE n.nspname = ANY(%(schemas)s) AND d.text IS NOT NULL
   AND NOT (n.nspname = 'public' AND d.text = 'standard public schema')
UNION ALL
SELECT 'DEFAULT PRIVILEGES FOR ' || d.objects,
       format('%%s GRANT %%s ON %%s TO %%s%%s', d.alter, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), d.objects,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
  FROM defaults d, aclexplode(d.defaclacl) a
 WHERE a.grantee <> d.defaclrole AND NOT (d.defaclnamespace = 0 AND a.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
 GROUP BY d.alter, d.objects, a.grantee, a.is_grantable
UNION ALL
SELECT 'DEFAULT PRIVILEGES FOR ' || d.objects,
       format('%%s REVOKE ALL ON %%s FROM PUBLIC', d.alter, d.objects)
  FROM defaults d
 WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
   AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0)
UNION ALL
-- the sequences of serial and identity columns are no objects of their own
SELECT CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END || c.relname,
       format('GRANT %%s ON SEQUENCE %%I.%%I TO %%s%%s', string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
              n.nspname, c.relname, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN column_sequences o ON o.sequence = c.oid,
       aclexplode(c.relacl) a
 WHERE n.nspname = ANY(%(schemas)s) AND a.grantee <> c.relowner
 GROUP BY n.nspname, c.relname, a.grantee, a.is_grantable
 ORDER BY 1, 2
