-- Of these relations (schemas and names), the ones whose rows this login may not see, or not all of them.
SELECT n.nspname AS schema, c.relname AS name
  FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS asked (schema, name)
  JOIN pg_namespace n ON n.nspname = asked.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = asked.name
 WHERE NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT')
    OR row_security_active(c.oid)
