-- Hypertables: first dimension and columnstore settings.
SELECT h.hypertable_name AS "table",
       d.column_name AS time,
       coalesce(d.time_interval::text, d.integer_interval::text) AS chunk,
       h.compression_enabled AS compressed,
       ARRAY(SELECT s.attname::text FROM timescaledb_information.compression_settings s
              WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name
                AND s.segmentby_column_index IS NOT NULL ORDER BY s.segmentby_column_index) AS segment_by,
       ARRAY(SELECT s.attname::text
                    || CASE WHEN s.orderby_asc THEN '' ELSE ' DESC' END
                    || CASE WHEN s.orderby_asc AND s.orderby_nullsfirst THEN ' NULLS FIRST'
                            WHEN NOT s.orderby_asc AND NOT s.orderby_nullsfirst THEN ' NULLS LAST' ELSE '' END
               FROM timescaledb_information.compression_settings s
              WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name
                AND s.orderby_column_index IS NOT NULL ORDER BY s.orderby_column_index) AS order_by
  FROM timescaledb_information.hypertables h
  JOIN timescaledb_information.dimensions d
    ON d.hypertable_schema = h.hypertable_schema AND d.hypertable_name = h.hypertable_name AND d.dimension_number = 1
 WHERE h.hypertable_schema = %(schema)s AND h.hypertable_name = ANY(%(names)s)
