-- Functions that this transaction has written, by full name as declarations have it (without the schema public).
SELECT p.oid::bigint AS oid
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.xmin::text::bigint = pg_current_xact_id()::text::numeric %% 4294967296
   AND CASE n.nspname WHEN 'public' THEN p.proname ELSE n.nspname || '.' || p.proname END = ANY(%(names)s)
