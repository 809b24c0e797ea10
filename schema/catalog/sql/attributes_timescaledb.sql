-- What TimescaleDB keeps of the relations asked for: settings of hypertables and aggregates, their jobs, one row an object.
WITH hypertables AS (
  SELECT h.id, format('%%I.%%I', h.schema_name, h.table_name)::regclass AS oid, g.mat_hypertable_id IS NOT NULL AS aggregate,
         to_jsonb(h) AS hypertable, to_jsonb(g) AS settings,
         CASE coalesce(g.user_view_schema, h.schema_name) WHEN 'public' THEN coalesce(g.user_view_name, h.table_name)
         ELSE coalesce(g.user_view_schema, h.schema_name) || '.' || coalesce(g.user_view_name, h.table_name) END AS name
    FROM _timescaledb_catalog.hypertable h
    LEFT JOIN _timescaledb_catalog.continuous_agg g ON g.mat_hypertable_id = h.id
), held AS (SELECT * FROM hypertables WHERE name = ANY(%(names)s))
SELECT 'hypertable' AS catalog, 0::oid AS oid, 0 AS sub, name AS object, name AS relation, hypertable AS attributes FROM held
UNION ALL
SELECT 'dimension', 0, 0, h.name || '.' || d.column_name, h.name,
       to_jsonb(d) || CASE WHEN h.aggregate THEN jsonb_build_object('aggregate_interval', d.interval_length) ELSE '{}' END
  FROM held h JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = h.id
UNION ALL
SELECT 'continuous_agg', 0, 0, name, name, settings FROM held WHERE aggregate
UNION ALL
SELECT 'aggregate_index', 0, 0, regexp_replace(pg_get_indexdef(i.indexrelid), '^(CREATE (?:UNIQUE )?INDEX) .* ON .* USING', '\1 USING'),
       h.name, jsonb_build_object('index', (SELECT relname FROM pg_class WHERE oid = i.indexrelid))
  FROM held h JOIN pg_index i ON i.indrelid = h.oid
 WHERE h.aggregate
UNION ALL
SELECT 'bgw_job', 0, j.id, j.proc_schema || '.' || j.proc_name, h.name, to_jsonb(j) || jsonb_build_object(
         'owner', j.owner::text, 'settings', coalesce(j.config, '{}') - ARRAY[
           'hypertable_id', 'mat_hypertable_id', 'drop_after', 'compress_after', 'drop_created_before',
           'compress_created_before', 'start_offset', 'end_offset', 'index_name',
           'buckets_per_batch', 'max_batches_per_execution', 'refresh_newest_first', 'include_tiered_data'])
  FROM held h JOIN _timescaledb_config.bgw_job j ON j.hypertable_id = h.id
