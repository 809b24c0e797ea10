-- Functions and procedures of one schema by name, oldest first; all that bear it, but for an extension's own.
SELECT p.proname AS name,
       p.prokind = 'p' AS procedure,
       pg_get_function_arguments(p.oid) AS arguments,
       pg_get_function_identity_arguments(p.oid) AS signature,
       oidvectortypes(p.proargtypes) AS inputs,
       pg_get_function_result(p.oid) AS returns,
       l.lanname AS language,
       p.prosrc AS body,
       p.probin AS library,
       -- PostgreSQL 13 has no parsed bodies
       to_jsonb(p) ->> 'prosqlbody' IS NOT NULL AS parsed,
       p.oid::bigint AS oid,
       p.proleakproof AS leakproof,
       nullif(p.procost, CASE WHEN l.lanname IN ('internal', 'c') THEN 1 ELSE 100 END) AS cost,
       CASE WHEN p.proretset THEN nullif(p.prorows, 1000) END AS "rows",
       CASE WHEN p.prosupport <> 0 THEN p.prosupport::regproc::text END AS support,
       p.prokind = 'w' AS "window",
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.protrftypes) WITH ORDINALITY AS x (t, place) ORDER BY place)
         AS transforms,
       CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END AS volatility,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       p.proisstrict AS strict,
       p.prosecdef AS security_definer,
       -- as SET takes them: lists of names are kept quoted by the server (an empty one is no name), all else is one literal
       ARRAY(SELECT s.name || ' = ' || CASE WHEN lower(s.name) IN (
                    'search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries',
                    'shared_preload_libraries', 'unix_socket_directories')
                    THEN regexp_replace(s.value, '(^|, )""(?=,|$)', '\1''''', 'g') ELSE quote_literal(s.value) END
               FROM unnest(p.proconfig) AS entry,
                    LATERAL (SELECT split_part(entry, '=', 1) AS name,
                                    substr(entry, strpos(entry, '=') + 1) AS value) s
              ORDER BY s.name) AS settings,
       obj_description(p.oid, 'pg_proc') AS comment,
       -- the columns of parts/rights.sql
       -- the columns of parts/routine_dependants.sql
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 CROSS JOIN LATERAL (SELECT p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, 'f'::"char" AS kind,
                             p.pronamespace AS namespace) o
 WHERE n.nspname = %(schema)s AND p.proname = ANY(%(names)s) AND p.prokind IN ('f', 'p', 'w')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY p.proname, p.oid
