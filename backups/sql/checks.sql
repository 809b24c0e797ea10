-- The check constraints in the server's wording of today; chunks have none of their own.
SELECT format('%s %s', c.conrelid::regclass, c.conname) AS name, pg_get_constraintdef(c.oid) AS words
  FROM pg_constraint c
  JOIN pg_class t ON t.oid = c.conrelid
  JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE c.contype = 'c' AND n.nspname !~ '^(pg_|information_schema$|_timescaledb|timescaledb_)'
