-- Hypertables: dimensions, the function that tells the present, tablespaces and columnstore settings.
SELECT h.hypertable_name AS "table",
       d.column_name AS time,
       coalesce(d.time_interval::text, d.integer_interval::text) AS chunk,
       (SELECT CASE WHEN cd.integer_now_func_schema = 'public' THEN cd.integer_now_func::text
                    ELSE cd.integer_now_func_schema || '.' || cd.integer_now_func END
          FROM _timescaledb_catalog.hypertable ch
          JOIN _timescaledb_catalog.dimension cd ON cd.hypertable_id = ch.id
         WHERE ch.schema_name = h.hypertable_schema AND ch.table_name = h.hypertable_name
           AND cd.integer_now_func IS NOT NULL
         LIMIT 1) AS now,
       coalesce(h.tablespaces::text[], '{}') AS tablespaces,
       (SELECT json_agg(json_build_object('column', more.column_name, 'partitions', more.num_partitions, 'interval',
                                          coalesce(more.time_interval::text, more.integer_interval::text))
                        ORDER BY more.dimension_number)
          FROM timescaledb_information.dimensions more
         WHERE more.hypertable_schema = h.hypertable_schema AND more.hypertable_name = h.hypertable_name
           AND more.dimension_number > 1) AS dimensions,
       h.compression_enabled AS compressed,
       ARRAY(SELECT s.attname::text FROM timescaledb_information.compression_settings s
              WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name
                AND s.segmentby_column_index IS NOT NULL ORDER BY s.segmentby_column_index) AS segment_by,
       ARRAY(SELECT '"' || replace(s.attname::text, '"', '""') || '"'
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
