-- Row-level security of tables with its policies; a table without a policy has one row of nulls.
SELECT c.relname AS "table",
       c.relrowsecurity AS enabled,
       c.relforcerowsecurity AS forced,
       p.polname AS name,
       pg_get_expr(p.polqual, p.polrelid, true) AS "using",
       pg_get_expr(p.polwithcheck, p.polrelid, true) AS "check",
       CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                     ELSE 'all' END AS command,
       ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r)::text END FROM unnest(p.polroles) r
              ORDER BY 1) AS roles,
       p.polpermissive AS permissive,
       obj_description(p.oid, 'pg_policy') AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_policy p ON p.polrelid = c.oid
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
   AND (c.relrowsecurity OR c.relforcerowsecurity OR p.oid IS NOT NULL)
 ORDER BY c.relname, p.polname
