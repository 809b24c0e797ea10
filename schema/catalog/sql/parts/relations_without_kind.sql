-- Relations and types of kinds that nothing declares: (catalog, oid, namespace, name, a word for the kind).
  SELECT 'pg_class'::regclass AS classid, c.oid, c.relnamespace AS namespace, c.relname AS name,
         CASE c.relkind WHEN 'p' THEN 'partitioned table' WHEN 'f' THEN 'foreign table' ELSE 'child table' END AS kind
    FROM pg_class c
   WHERE c.relkind = 'f'
      OR (c.relkind = 'p' AND NOT c.relispartition)
      OR (c.relkind = 'r' AND NOT c.relispartition AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid))
  UNION ALL
  SELECT 'pg_type'::regclass, t.oid, t.typnamespace, t.typname, 'range type' FROM pg_type t WHERE t.typtype = 'r'