-- Parsed bodies of these functions, of PostgreSQL 14 and later.
SELECT p.oid::bigint AS oid, btrim(pg_get_function_sqlbody(p.oid), E' \\n') AS body
  FROM pg_proc p
 WHERE p.oid = ANY(%(oids)s::oid[])
