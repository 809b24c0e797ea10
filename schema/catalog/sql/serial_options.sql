-- Serial columns of these schemas whose sequences are not as SERIAL makes them, with what differs.
SELECT n.nspname AS schema, t.relname AS name, a.attname AS "column",
       concat_ws(', ', 'start ' || nullif(s.seqstart, 1), 'increment ' || nullif(s.seqincrement, 1),
                 'minimum ' || nullif(s.seqmin, 1),
                 CASE WHEN s.seqmax NOT IN (32767, 2147483647, 9223372036854775807) THEN 'maximum ' || s.seqmax END,
                 'cache ' || nullif(s.seqcache, 1), CASE WHEN s.seqcycle THEN 'cycle' END,
                 CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END) AS options
  FROM pg_class c
  JOIN pg_sequence s ON s.seqrelid = c.oid
  JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype IN ('a', 'i')
                  AND o.refclassid = 'pg_class'::regclass
  JOIN pg_class t ON t.oid = o.refobjid
  JOIN pg_namespace n ON n.oid = t.relnamespace
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
  LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum
 WHERE n.nspname = ANY(%(schemas)s)
   AND (o.deptype = 'i' OR pg_get_expr(d.adbin, d.adrelid) = format('nextval(%%L::regclass)', c.oid::regclass))
   AND ROW(s.seqstart, s.seqincrement, s.seqmin, s.seqcache, s.seqcycle, c.relpersistence) IS DISTINCT FROM
       ROW(1::bigint, 1::bigint, 1::bigint, 1::bigint, false, 'p'::"char")
 ORDER BY 1, 2, 3
