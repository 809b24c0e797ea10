-- The temporary tables, views and sequences of this session.
SELECT relname AS name FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind IN ('r', 'p', 'v', 'S') ORDER BY 1
