-- Columnstore settings of hypertables that TimescaleDB's views do not show, and the columns of chunk skipping.
SELECT h.table_name::text AS "table",
       s.segmentby IS NULL AS segment_left,
       s.orderby IS NULL AS order_left,
       to_jsonb(s) -> 'index' AS sparse,
       CASE WHEN d.column_type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
            THEN d.compress_interval_length::text
            ELSE _timescaledb_functions.to_interval(d.compress_interval_length)::text END AS merged,
       ARRAY(SELECT k.column_name::text FROM _timescaledb_catalog.chunk_column_stats k
              WHERE k.hypertable_id = h.id AND coalesce(k.chunk_id, 0) = 0 ORDER BY k.id) AS skipping
  FROM _timescaledb_catalog.hypertable h
  LEFT JOIN _timescaledb_catalog.compression_settings s
    ON s.relid = to_regclass(format('%%I.%%I', h.schema_name, h.table_name))
  LEFT JOIN LATERAL (SELECT d.column_type, d.compress_interval_length FROM _timescaledb_catalog.dimension d
                      WHERE d.hypertable_id = h.id ORDER BY d.id LIMIT 1) d ON true
 WHERE h.schema_name = %(schema)s AND h.table_name = ANY(%(names)s)
