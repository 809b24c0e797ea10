-- Which hypertable each chunk belongs to, and whether it is compressed.
SELECT quote_ident(chunk_schema) || '.' || quote_ident(chunk_name) AS full_name,
       quote_ident(hypertable_schema) || '.' || quote_ident(hypertable_name) AS hypertable, is_compressed AS compressed
  FROM timescaledb_information.chunks
