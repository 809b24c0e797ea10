-- The sequences that serial and identity columns have: (sequence, table, column's number).
  SELECT o.objid AS sequence, o.refobjid AS "table", o.refobjsubid AS number
    FROM pg_depend o
    JOIN pg_class c ON c.oid = o.objid AND c.relkind = 'S'
    LEFT JOIN pg_attrdef d ON d.adrelid = o.refobjid AND d.adnum = o.refobjsubid
   WHERE o.classid = 'pg_class'::regclass AND o.refclassid = 'pg_class'::regclass AND o.refobjsubid > 0
     AND (o.deptype = 'i'
          OR (o.deptype = 'a' AND pg_get_expr(d.adbin, d.adrelid) ~ '^nextval\(''[^'']*''::regclass\)$'
              AND EXISTS (SELECT FROM pg_depend used
                           WHERE used.classid = 'pg_attrdef'::regclass AND used.objid = d.oid
                             AND used.refclassid = 'pg_class'::regclass AND used.refobjid = o.objid)))