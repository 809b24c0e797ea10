-- Indexes of tables; `constraint` is the type of the constraint that has the index, if any has.
-- A term's collation is given where the server's own definition has it: where the column or expression has another.
SELECT c.relname AS "table",
       ic.relname AS name,
       (SELECT k.contype::text FROM pg_constraint k
         WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')) AS "constraint",
       i.indisunique AS "unique",
       am.amname AS method,
       i.indisvalid AND i.indisready AS valid,
       NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) AS nulls_distinct,
       coalesce(ic.reloptions, '{}') AS options,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k::int, true)
                    || CASE WHEN i.indcollation[k - 1] <> 0 AND strpos(pg_get_indexdef(i.indexrelid, 0, true),
                              pg_get_indexdef(i.indexrelid, k::int, true) || l.collation) > 0
                            THEN l.collation ELSE '' END
                    || CASE WHEN oc.opcdefault AND p.options IS NULL THEN ''
                            ELSE ' ' || CASE WHEN pg_opclass_is_visible(oc.oid) THEN ''
                                             ELSE quote_ident(ocn.nspname) || '.' END || quote_ident(oc.opcname) END
                    || coalesce('(' || p.options || ')', '')
                    || CASE WHEN am.amname <> 'btree' THEN ''
                            WHEN i.indoption[k - 1] = 1 THEN ' DESC NULLS LAST'
                            WHEN i.indoption[k - 1] = 2 THEN ' NULLS FIRST'
                            WHEN i.indoption[k - 1] = 3 THEN ' DESC'
                            ELSE '' END
               FROM generate_series(1, i.indnkeyatts) AS k
               JOIN pg_opclass oc ON oc.oid = i.indclass[k - 1]
               JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
               JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = k
               JOIN LATERAL (SELECT ' COLLATE ' || i.indcollation[k - 1]::regcollation::text AS collation) l ON true
               LEFT JOIN LATERAL (SELECT string_agg(split_part(o, '=', 1) || '='
                                                    || quote_literal(substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o)
                                         AS options
                                    FROM unnest(ia.attoptions) o WHERE o NOT LIKE 'pg\_attver=%%') p ON true
              ORDER BY k) AS columns,
       ARRAY(SELECT a.attname::text
               FROM generate_series(i.indnkeyatts + 1, i.indnatts) AS k
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k - 1] ORDER BY k) AS include,
       pg_get_expr(i.indpred, i.indrelid, true) AS "where",
       ARRAY(SELECT coalesce(a.attstattarget, -1)::int
               FROM pg_attribute a
              WHERE a.attrelid = i.indexrelid AND a.attnum BETWEEN 1 AND i.indnkeyatts
              ORDER BY a.attnum) AS statistics,
       obj_description(ic.oid, 'pg_class') AS comment
  FROM pg_index i
  JOIN pg_class ic ON ic.oid = i.indexrelid
  JOIN pg_am am ON am.oid = ic.relam
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
 ORDER BY c.relname, ic.relname
