-- Tables of one schema with their columns, in order; a table without columns has one row of nulls.
SELECT c.relname AS "table",
       obj_description(c.oid, 'pg_class') AS table_comment,
       a.attname AS name,
       format_type(a.atttypid, a.atttypmod) AS type,
       NOT a.attnotnull AS "null",
       CASE WHEN a.attgenerated = '' AND s.oid IS NULL THEN pg_get_expr(d.adbin, d.adrelid, true) END AS "default",
       s.oid IS NOT NULL AS serial,
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE WHEN a.attgenerated = 's' THEN pg_get_expr(d.adbin, d.adrelid, true) END AS generated,
       col_description(c.oid, a.attnum) AS comment
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  LEFT JOIN LATERAL (
       -- a sequence that the column owns and of which its default is the next number: what SERIAL stands for
       SELECT owned.objid AS oid
         FROM pg_depend owned
         JOIN pg_depend used ON used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid
                            AND used.refclassid = 'pg_class'::regclass AND used.refobjid = owned.objid
        WHERE pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(''[^'']*''::regclass\)$'
          AND owned.classid = 'pg_class'::regclass AND owned.refclassid = 'pg_class'::regclass
          AND owned.refobjid = c.oid AND owned.refobjsubid = a.attnum AND owned.deptype = 'a'
        LIMIT 1) s ON true
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
 ORDER BY c.relname, a.attnum
