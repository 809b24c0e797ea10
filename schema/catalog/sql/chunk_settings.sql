-- Columns that compressed chunks are segmented or ordered by, of any setting their table ever had.
SELECT found.name AS "table", array_agg(DISTINCT split_part(btrim(term), ' ', 1)) AS columns
  FROM timescaledb_information.chunk_compression_settings s
  JOIN pg_class c ON c.oid = s.hypertable
  JOIN pg_namespace n ON n.oid = c.relnamespace,
       LATERAL (SELECT CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS name) found,
       LATERAL unnest(string_to_array(concat_ws(',', nullif(s.segmentby, ''), nullif(s.orderby, '')), ',')) AS term
 WHERE found.name = ANY(%(names)s)
 GROUP BY found.name
