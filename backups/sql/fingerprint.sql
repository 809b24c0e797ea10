-- The structure in the server's own words, one line for each thing, in an order that is the same everywhere. Chunks and
-- what extensions made are left out. Casts among text types and parentheses are left out too: the server words
-- `x IN ('a', 'b')` in one way when it was written so, and in another once its own first wording was read in again.
SELECT regexp_replace(line, '::(character varying|text|bpchar)(\[\])?|[()]', '', 'g') AS line FROM (
    SELECT format('column %s.%s %s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod),
                  a.attnotnull, concat(a.attidentity, a.attgenerated), pg_get_expr(d.adbin, d.adrelid)) AS line, a.attrelid AS of
      FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)), conrelid
      FROM pg_constraint WHERE conrelid <> 0 AND contype <> 'n'
    UNION ALL
    SELECT pg_get_indexdef(indexrelid), indrelid FROM pg_index WHERE indisvalid
    UNION ALL
    SELECT pg_get_triggerdef(oid), tgrelid FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT format('view %s %s', oid::regclass, pg_get_viewdef(oid)), oid FROM pg_class WHERE relkind IN ('v', 'm')
) AS structure
  JOIN pg_class c ON c.oid = structure.of
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema$|_timescaledb|timescaledb_)'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY line COLLATE "C"
