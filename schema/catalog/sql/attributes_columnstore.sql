-- Columnstore settings of the hypertables and aggregates asked for (TimescaleDB 2.14 and later), one row a relation.
WITH hypertables AS (
  SELECT format('%%I.%%I', h.schema_name, h.table_name)::regclass AS oid,
         CASE coalesce(g.user_view_schema, h.schema_name) WHEN 'public' THEN coalesce(g.user_view_name, h.table_name)
         ELSE coalesce(g.user_view_schema, h.schema_name) || '.' || coalesce(g.user_view_name, h.table_name) END AS name
    FROM _timescaledb_catalog.hypertable h
    LEFT JOIN _timescaledb_catalog.continuous_agg g ON g.mat_hypertable_id = h.id
)
SELECT 'compression_settings' AS catalog, 0::oid AS oid, 0 AS sub, h.name AS object, h.name AS relation,
       to_jsonb(s) || jsonb_build_object('index', (
         SELECT jsonb_agg(x) FROM jsonb_array_elements(coalesce(nullif(to_jsonb(s)->'index', 'null'), '[]')) x
          WHERE x->>'source' = 'config')) AS attributes
  FROM hypertables h JOIN _timescaledb_catalog.compression_settings s ON s.relid = h.oid
 WHERE h.name = ANY(%(names)s)
