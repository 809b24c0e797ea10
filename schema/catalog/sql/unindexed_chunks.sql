-- Valid indexes of hypertables that some chunk lacks, or has only an invalid one for. Counting comes first: it is cheap,
-- and only the chunks with fewer indexes than their table are looked at in earnest.
WITH tables AS MATERIALIZED (
    SELECT c.oid, c.relname,
           (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid) AS indexes
      FROM timescaledb_information.hypertables h
      JOIN pg_namespace n ON n.nspname = h.hypertable_schema
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = h.hypertable_name
     WHERE h.hypertable_schema = %(schema)s AND h.hypertable_name = ANY(%(names)s)),
short AS MATERIALIZED (
    SELECT t.oid, t.relname, k.inhrelid AS chunk
      FROM tables t
      JOIN pg_inherits k ON k.inhparent = t.oid
      JOIN pg_class c ON c.oid = k.inhrelid AND c.relkind = 'r'
      LEFT JOIN pg_index i ON i.indrelid = k.inhrelid AND i.indisvalid
     GROUP BY t.oid, t.relname, t.indexes, k.inhrelid
    HAVING count(i.indexrelid) < t.indexes)
SELECT s.relname AS "table", ic.relname AS name, cn.nspname || '.' || c.relname AS chunk, own.broken
  FROM short s
  JOIN pg_class c ON c.oid = s.chunk
  JOIN pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_index i ON i.indrelid = s.oid AND i.indisvalid
  JOIN pg_class ic ON ic.oid = i.indexrelid
  LEFT JOIN LATERAL (
       SELECT own.indisvalid, cn.nspname || '.' || oc.relname AS broken
         FROM pg_index own
         JOIN pg_class oc ON oc.oid = own.indexrelid
        WHERE own.indrelid = s.chunk AND own.indisunique = i.indisunique AND oc.relam = ic.relam
          AND own.indoption::text = i.indoption::text AND own.indnatts = i.indnatts
          AND pg_get_expr(own.indpred, own.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)
          AND ARRAY(SELECT pg_get_indexdef(own.indexrelid, n, true) FROM generate_series(1, own.indnatts::int) n)
            = ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnatts::int) n)
        ORDER BY own.indisvalid DESC
        LIMIT 1) own ON true
 WHERE own.indisvalid IS NOT TRUE
 ORDER BY 1, 2, 3
