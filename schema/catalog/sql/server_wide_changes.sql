-- The catalogs of the whole server that this transaction has changed (roles, databases, tablespaces and their settings):
-- their locks are held until it ends. Owners and rights of a database's own objects are noted in pg_shdepend.
SELECT DISTINCT relation::regclass::text AS catalog
  FROM pg_locks
 WHERE pid = pg_backend_pid() AND locktype = 'relation' AND database = 0
   AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND relation <> ALL (ARRAY['pg_shdepend'::regclass, 'pg_shdepend_depender_index'::regclass,
                              'pg_shdepend_reference_index'::regclass])
 ORDER BY 1
