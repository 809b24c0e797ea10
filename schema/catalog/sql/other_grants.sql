-- What no object declares: default privileges in whatever schema, and the grants on the sequences of columns of these
-- schemas: (what it is of, the statement).
WITH column_sequences AS (
  -- the rows of parts/column_sequences.sql
), defaults AS (
    SELECT d.*, format('ALTER DEFAULT PRIVILEGES FOR ROLE %%s', d.defaclrole::regrole) AS alter,
           CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS objects
      FROM pg_default_acl d
     WHERE d.defaclnamespace = 0
)
SELECT 'DEFAULT PRIVILEGES FOR ' || d.objects AS name,
       format('%%s GRANT %%s ON %%s TO %%s%%s', d.alter, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), d.objects,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END,
              CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END) AS text
  FROM defaults d, aclexplode(d.defaclacl) a
 WHERE a.grantee <> d.defaclrole AND NOT (a.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
 GROUP BY d.alter, d.objects, a.grantee, a.is_grantable
UNION ALL
SELECT 'DEFAULT PRIVILEGES FOR ' || d.objects,
       format('%%s REVOKE ALL ON %%s FROM PUBLIC', d.alter, d.objects)
  FROM defaults d
 WHERE d.defaclobjtype IN ('f', 'T')
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
