-- Columnstore settings of these hypertables of one schema.
SELECT hypertable_name AS "table", attname::text AS name, segmentby_column_index AS segment,
       orderby_column_index AS place, orderby_asc AS up, orderby_nullsfirst AS nulls_first
  FROM timescaledb_information.compression_settings
 WHERE hypertable_schema = %(schema)s AND hypertable_name = ANY(%(names)s)
 ORDER BY hypertable_name, segmentby_column_index, orderby_column_index
