-- Owner and grants of relations, functions and types by (catalog, schema, name, arguments): what their owner gave to
-- others, in the order of the catalog, one row each; "kept" tells that the owner has all that owners have by default.
WITH objects AS (
    SELECT 'pg_class' AS catalog, n.nspname AS schema, c.relname AS name, '' AS inputs, NULL::text AS "column",
           c.relowner AS owner, coalesce(c.relacl, acldefault(k.kind, c.relowner)) AS acl, k.kind, c.relacl IS NULL AS usual
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace,
           LATERAL (SELECT (CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char" AS kind) k
     WHERE n.nspname = ANY(%(schemas)s) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    UNION ALL
    SELECT 'pg_class', n.nspname, c.relname, '', a.attname::text, c.relowner, a.attacl, 'c', false
      FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = ANY(%(schemas)s) AND a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_proc', n.nspname, p.proname, oidvectortypes(p.proargtypes), NULL, p.proowner,
           coalesce(p.proacl, acldefault('f', p.proowner)), 'f', p.proacl IS NULL
      FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
     WHERE n.nspname = ANY(%(schemas)s)
    UNION ALL
    SELECT 'pg_type', n.nspname, t.typname, '', NULL, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner)), 'T',
           t.typacl IS NULL
      FROM pg_type t
      JOIN pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = ANY(%(schemas)s) AND t.typtype IN ('e', 'd', 'c', 'r')
    UNION ALL
    -- Whose rights a login needs for itself are no grant to others, nor is what every new database has.
    SELECT 'pg_namespace', n.nspname, n.nspname, '', NULL, n.nspowner,
           coalesce((SELECT array_agg(makeaclitem(a.grantee, a.grantor, a.privilege_type, a.is_grantable) ORDER BY a.place)
                       FROM aclexplode(n.nspacl) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, place)
                      WHERE a.grantee = n.nspowner OR a.grantee <> current_user::regrole),
                    acldefault('n', n.nspowner)), 'n',
           NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a
                        WHERE a.grantee NOT IN (n.nspowner, current_user::regrole) AND NOT (n.nspname = 'public' AND a.grantee = 0))
             AND (n.nspname <> 'public' OR n.nspacl IS NULL
                  OR EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0 AND a.privilege_type = 'USAGE'))
      FROM pg_namespace n
     WHERE n.nspname = ANY(%(schemas)s)
)
SELECT o.catalog, o.schema, o.name, o.inputs, pg_get_userbyid(o.owner)::text AS owner, o.owner <> current_user::regrole AND (o.catalog, o.schema) <> ('pg_namespace', 'public') AS foreign_owner,
       o.usual,
       pg_has_role(o.owner, 'USAGE')
         OR EXISTS (SELECT FROM aclexplode(o.acl) a
                     WHERE a.is_grantable AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE'))) AS governed,
       o."column" IS NOT NULL OR NOT EXISTS (
         SELECT FROM aclexplode(acldefault(o.kind, o.owner)) d
          WHERE d.grantee = o.owner AND NOT EXISTS (SELECT FROM aclexplode(o.acl) a
                 WHERE a.grantee = o.owner AND a.privilege_type = d.privilege_type)) AS kept,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(
                 CASE a.grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(a.grantee)::text END,
                 lower(a.privilege_type), o."column", a.is_grantable) ORDER BY a.place), '[]')
          FROM aclexplode(o.acl) WITH ORDINALITY AS a (grantor, grantee, privilege_type, is_grantable, place)
         WHERE a.grantee <> o.owner) AS granted
  FROM objects o
