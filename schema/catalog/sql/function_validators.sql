-- What checks the bodies of these functions: the validator of the language, called as CREATE FUNCTION calls it; the
-- function's own settings, and the search_path that a new session of this login has.
SELECT p.oid::bigint AS oid,
       CASE n.nspname WHEN 'public' THEN p.proname ELSE n.nspname || '.' || p.proname END AS name,
       n.nspname AS schema,
       format('SELECT %%s(%%s)', l.lanvalidator::regproc, p.oid) AS check,
       coalesce(p.proconfig, '{}') AS settings,
       (SELECT reset_val FROM pg_settings WHERE pg_settings.name = 'search_path') AS search_path
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
 WHERE p.oid = ANY(%(oids)s::bigint[]::oid[]) AND l.lanvalidator <> 0 AND l.lanname NOT IN ('c', 'internal')
 ORDER BY p.oid
