-- Of these tables (oids), the ones whose rows this login may not see, or not all of them.
SELECT c.oid::bigint AS oid
  FROM pg_class c
 WHERE c.oid = ANY(%(oids)s::oid[])
   AND (NOT has_schema_privilege(c.relnamespace, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')
        OR row_security_active(c.oid))
