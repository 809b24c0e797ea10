-- Sequences of one schema, but for those that serial and identity columns have. Bounds that the type has anyway are null.
SELECT c.relname AS name,
       format_type(s.seqtypid, NULL) AS type,
       CASE WHEN s.seqstart <> CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END THEN s.seqstart END AS start,
       s.seqincrement AS increment,
       CASE WHEN s.seqmin <> CASE WHEN s.seqincrement > 0 THEN 1 ELSE b.lowest END THEN s.seqmin END AS minimum,
       CASE WHEN s.seqmax <> CASE WHEN s.seqincrement > 0 THEN b.highest ELSE -1 END THEN s.seqmax END AS maximum,
       s.seqcache AS cache,
       s.seqcycle AS cycle,
       (SELECT CASE WHEN tn.nspname = 'public' THEN '' ELSE tn.nspname || '.' END || t.relname || '.' || a.attname
          FROM pg_depend o
          JOIN pg_class t ON t.oid = o.refobjid
          JOIN pg_namespace tn ON tn.oid = t.relnamespace
          JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = o.refobjsubid
         WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.objsubid = 0
           AND o.refclassid = 'pg_class'::regclass AND o.deptype = 'a') AS owned_by,
       c.relpersistence = 'u' AS unlogged,
       obj_description(c.oid, 'pg_class') AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_sequence s ON s.seqrelid = c.oid
  JOIN (VALUES ('int2'::regtype::oid, -32768::bigint, 32767::bigint), ('int4'::regtype::oid, -2147483648, 2147483647),
               ('int8'::regtype::oid, -9223372036854775808, 9223372036854775807)) AS b (type, lowest, highest)
    ON b.type = s.seqtypid
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
   AND NOT EXISTS (SELECT FROM pg_depend o
                    WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'i')
