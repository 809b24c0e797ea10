-- Indexes of tables that are no constraint's.
SELECT c.relname AS "table",
       ic.relname AS name,
       i.indisunique AS "unique",
       am.amname AS method,
       i.indisvalid AND i.indisready AS valid,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k::int, true)
                    || CASE WHEN oc.opcdefault THEN '' WHEN pg_opclass_is_visible(oc.oid) THEN ' ' || quote_ident(oc.opcname)
                            ELSE format(' %%I.%%I', ocn.nspname, oc.opcname) END
                    || CASE WHEN am.amname <> 'btree' THEN ''
                            WHEN i.indoption[k - 1] = 1 THEN ' DESC NULLS LAST'
                            WHEN i.indoption[k - 1] = 2 THEN ' NULLS FIRST'
                            WHEN i.indoption[k - 1] = 3 THEN ' DESC'
                            ELSE '' END
               FROM generate_series(1, i.indnkeyatts) AS k
               JOIN pg_opclass oc ON oc.oid = i.indclass[k - 1]
               JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
              ORDER BY k) AS columns,
       ARRAY(SELECT a.attname::text
               FROM generate_series(i.indnkeyatts + 1, i.indnatts) AS k
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] ORDER BY k) AS include,
       pg_get_expr(i.indpred, i.indrelid, true) AS "where",
       obj_description(ic.oid, 'pg_class') AS comment
  FROM pg_index i
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_am am ON am.oid = ic.relam
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
 ORDER BY c.relname, ic.relname
