-- The views that TimescaleDB keeps for continuous aggregates, each with the aggregate that it stands for.
SELECT i.name AS view, a.user_view_schema::text AS schema, a.user_view_name::text AS name,
       to_regclass(format('%%I.%%I', a.user_view_schema, a.user_view_name))::oid::bigint AS id
  FROM _timescaledb_catalog.continuous_agg a,
       LATERAL (VALUES (format('%%s.%%s', a.partial_view_schema, a.partial_view_name)),
                       (format('%%s.%%s', a.direct_view_schema, a.direct_view_name)),
                       (format('%%s.%%s', a.user_view_schema, a.user_view_name))) i (name)
