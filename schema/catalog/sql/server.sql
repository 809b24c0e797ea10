-- What the server is: versions, edition, role; one row.
SELECT current_setting('server_version_num')::int AS server_version,
       e.extversion AS timescaledb_version,
       x.nspname AS timescaledb_schema,
       current_setting('timescaledb.license', true) AS license,
       pg_is_in_recovery() AS standby,
       current_setting('transaction_read_only') = 'on' AS read_only,
       position('emcc' IN version()) > 0 AS single_process,
       current_user::text AS role,
       current_database()::text AS database,
       has_database_privilege(current_database(), 'CREATE') AS may_create_schema
  FROM (VALUES (1)) AS one
  LEFT JOIN pg_extension e ON e.extname = 'timescaledb'
  LEFT JOIN pg_namespace x ON x.oid = e.extnamespace
