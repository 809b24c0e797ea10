-- Which of these schemas exist.
SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY(%(names)s)
