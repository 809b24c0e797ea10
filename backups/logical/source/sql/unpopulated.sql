-- Materialized views that cannot be queried before somebody refreshes them, in the order in which they were created.
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS full_name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'm' AND NOT c.relispopulated
 ORDER BY c.oid
