-- The structure in the server's own words, one line for each thing. Chunks and what extensions made are left out, before
-- anything is worded: most of a catalog is the server's own.
WITH own AS MATERIALIZED (
    SELECT c.oid, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema$|_timescaledb|timescaledb_)'
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))
SELECT format('column %s.%s %s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
              a.attnotnull, concat(a.attidentity, a.attgenerated), pg_get_expr(d.adbin, d.adrelid)) AS line
  FROM own JOIN pg_attribute a ON a.attrelid = own.oid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
  FROM own JOIN pg_constraint ON conrelid = own.oid WHERE contype <> 'n'
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM own JOIN pg_index ON indrelid = own.oid WHERE indisvalid
UNION ALL
SELECT pg_get_triggerdef(pg_trigger.oid) FROM own JOIN pg_trigger ON tgrelid = own.oid WHERE NOT tgisinternal
UNION ALL
SELECT format('view %s %s', oid::regclass, pg_get_viewdef(oid)) FROM own WHERE relkind IN ('v', 'm')
