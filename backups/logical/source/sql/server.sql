-- What a backup must say of its server and database, and what a restore compares and sets; one row.
SELECT current_setting('server_version_num')::int AS server_version,
       split_part(current_setting('server_version'), ' ', 1) AS postgresql,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
       (SELECT nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE extname = 'timescaledb') AS timescaledb_schema,
       current_setting('timescaledb.license', true) AS edition,
       coalesce((SELECT json_object_agg(extname, extversion) FROM pg_extension WHERE extname <> 'plpgsql'), '{}') AS extensions,
       pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate, d.datctype::text AS ctype,
       -- By name, since they came one by one (15, 16) and the second has another name from 17 on.
       nullif(to_jsonb(d) ->> 'datlocprovider', 'c') AS locale_provider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
       to_jsonb(d) ->> 'daticurules' AS icu_rules,
       d.datname::text AS database, pg_get_userbyid(d.datdba)::text AS owner,
       pg_is_in_recovery() AS standby, pg_database_size(d.oid) AS bytes,
       coalesce((SELECT to_json(setconfig) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid AND s.setrole = 0),
                '[]') AS settings,
       (SELECT json_object_agg(rolname, to_json(setconfig))
          FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE s.setdatabase = d.oid) AS role_settings,
       (SELECT json_agg(json_build_object('role', CASE WHEN a.grantee = 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END,
                                          'privilege', a.privilege_type))
          FROM aclexplode(d.datacl) a) AS grants
  FROM pg_database d
 WHERE d.datname = current_database()
