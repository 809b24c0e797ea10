-- Extensions by name: what of them is there, and what the server could create; one row for each name.
SELECT asked.name,
       e.extversion AS version,
       n.nspname AS schema,
       -- the comment that the extension brings is not somebody's
       CASE WHEN obj_description(e.oid, 'pg_extension') IS DISTINCT FROM a.comment
            THEN obj_description(e.oid, 'pg_extension') END AS comment,
       a.default_version,
       ARRAY(SELECT v.version FROM pg_available_extension_versions v WHERE v.name = asked.name) AS versions,
       coalesce((SELECT bool_and(v.superuser AND NOT v.trusted)
                   FROM pg_available_extension_versions v
                  WHERE v.name = asked.name), false)
       AND NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) AS forbidden,
       current_user::text AS role
  FROM unnest(%(names)s::text[]) AS asked (name)
  LEFT JOIN pg_extension e ON e.extname = asked.name
  LEFT JOIN pg_namespace n ON n.oid = e.extnamespace
  LEFT JOIN pg_available_extensions a ON a.name = asked.name
