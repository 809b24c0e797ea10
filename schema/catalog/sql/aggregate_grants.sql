-- What others than its owner may do with each of these views, on the whole or on one column.
SELECT c.relname AS "table",
       NULL AS "column",
       CASE WHEN g.grantee = 0 THEN NULL ELSE pg_get_userbyid(g.grantee)::text END AS grantee,
       g.privilege_type AS privilege,
       g.is_grantable AS grantable
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace,
       LATERAL aclexplode(c.relacl) AS g
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v' AND g.grantee <> c.relowner
UNION ALL
SELECT c.relname, a.attname::text, CASE WHEN g.grantee = 0 THEN NULL ELSE pg_get_userbyid(g.grantee)::text END,
       g.privilege_type, g.is_grantable
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped,
       LATERAL aclexplode(a.attacl) AS g
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v' AND g.grantee <> c.relowner
 ORDER BY 1, 2 NULLS FIRST, 3 NULLS FIRST, 4
