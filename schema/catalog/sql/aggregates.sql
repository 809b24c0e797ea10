-- Every continuous aggregate with what it reads and what holds it; the query and more only of those asked for. One view
-- alone: TimescaleDB's views take long to plan, and longer together.
SELECT view_schema AS schema, view_name AS name, hypertable_schema AS source_schema, hypertable_name AS source,
       materialization_hypertable_schema AS relation_schema, materialization_hypertable_name AS relation,
       view_owner::text AS owner, materialized_only, compression_enabled AS compressed,
       CASE WHEN view_schema = %(schema)s AND view_name = ANY(%(names)s) THEN view_definition END AS query
  FROM timescaledb_information.continuous_aggregates
 ORDER BY 1, 2
