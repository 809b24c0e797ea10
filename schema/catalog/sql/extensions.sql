-- The extensions of this database but the server's own language, each after those that it needs.
SELECT e.extname AS name, n.nspname AS schema, e.extversion AS version
  FROM pg_extension e
  JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname <> 'plpgsql'
 ORDER BY e.extname <> 'timescaledb', e.oid
