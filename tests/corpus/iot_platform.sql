-- Style: an IoT platform with a device tree, attributes shared by key, and telemetry by key in milliseconds.
-- Exercises: bigint hypertable with an integer now function, uuid keys, nullable value columns of several types,
-- a dictionary with a serial, recursive SQL function, compressed chunks, retention by created time.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE tenant (id uuid NOT NULL CONSTRAINT tenant_pkey PRIMARY KEY, title varchar(255) NOT NULL,
    additional_info varchar, created_time bigint NOT NULL);
CREATE TABLE asset_profile (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, name varchar(255), is_default boolean,
    CONSTRAINT asset_profile_name_unq_key UNIQUE (tenant_id, name),
    CONSTRAINT fk_asset_profile_tenant FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON DELETE CASCADE);
CREATE TABLE device_profile (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    name varchar(255), transport_type varchar(255) CHECK (transport_type IN ('DEFAULT', 'MQTT', 'COAP', 'LWM2M')),
    profile_data jsonb, version bigint DEFAULT 1);
CREATE TABLE device (id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenant ON DELETE CASCADE,
    device_profile_id uuid NOT NULL CONSTRAINT fk_device_profile REFERENCES device_profile,
    parent_id uuid REFERENCES device ON DELETE SET NULL, name varchar(255) NOT NULL, label varchar(255),
    created_time bigint NOT NULL, CONSTRAINT device_name_unq_key UNIQUE (tenant_id, name));
CREATE INDEX idx_device_parent ON device (parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE relation (from_id uuid, from_type varchar(255), to_id uuid, to_type varchar(255),
    relation_type_group varchar(255), relation_type varchar(255), additional_info varchar,
    CONSTRAINT relation_pkey PRIMARY KEY (from_id, from_type, relation_type_group, relation_type, to_id, to_type));
CREATE INDEX idx_relation_to ON relation (relation_type_group, to_type, to_id);
CREATE TABLE key_dictionary (key varchar(255) NOT NULL, key_id serial UNIQUE, CONSTRAINT key_dictionary_pkey PRIMARY KEY (key));
CREATE TABLE attribute_kv (entity_id uuid NOT NULL, attribute_type int NOT NULL, attribute_key int NOT NULL,
    bool_v boolean, str_v varchar(10000000), long_v bigint, dbl_v double precision, json_v json, last_update_ts bigint,
    CONSTRAINT attribute_kv_pkey PRIMARY KEY (entity_id, attribute_type, attribute_key));
CREATE TABLE ts_kv (entity_id uuid NOT NULL, key int NOT NULL, ts bigint NOT NULL, bool_v boolean, str_v varchar(10000000),
    long_v bigint, dbl_v double precision, json_v json, CONSTRAINT ts_kv_pkey PRIMARY KEY (entity_id, key, ts));
SELECT create_hypertable('ts_kv', 'ts', chunk_time_interval => 86400000, create_default_indexes => false);
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT (extract(epoch FROM now()) * 1000)::bigint $$;
SELECT set_integer_now_func('ts_kv', 'now_ms');
CREATE TABLE ts_kv_latest (entity_id uuid NOT NULL, key int NOT NULL, ts bigint NOT NULL, dbl_v double precision,
    CONSTRAINT ts_kv_latest_pkey PRIMARY KEY (entity_id, key)) WITH (fillfactor = 70);
CREATE FUNCTION device_tree(root uuid) RETURNS TABLE (id uuid, depth int) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE tree AS (
        SELECT d.id, 0 AS depth FROM device d WHERE d.id = root
        UNION ALL SELECT d.id, t.depth + 1 FROM device d JOIN tree t ON d.parent_id = t.id)
    SELECT id, depth FROM tree $$;
CREATE VIEW device_info AS
    SELECT d.*, p.name AS profile_name, COALESCE(p.transport_type IN ('MQTT', 'COAP'), false) AS is_light
      FROM device d JOIN device_profile p ON p.id = d.device_profile_id;
INSERT INTO tenant SELECT md5('t' || n)::uuid, 'Tenant ' || n, NULL, 1767225600000 FROM generate_series(1, 3) n;
INSERT INTO device_profile SELECT md5('p' || n)::uuid, md5('t' || n)::uuid, 'default', 'MQTT', '{"a": 1}' FROM generate_series(1, 3) n;
INSERT INTO device SELECT md5('d' || n)::uuid, md5('t' || 1 + n % 3)::uuid, md5('p' || 1 + n % 3)::uuid,
    CASE WHEN n > 5 THEN md5('d' || n - 5)::uuid END, 'Device ' || n, NULL, 1767225600000 + n FROM generate_series(1, 20) n;
INSERT INTO key_dictionary (key) VALUES ('temperature'), ('humidity'), ('battery');
INSERT INTO attribute_kv (entity_id, attribute_type, attribute_key, str_v, last_update_ts)
    SELECT md5('d' || n)::uuid, n % 3, 1, 'v' || n, 1767225600000 FROM generate_series(1, 20) n;
INSERT INTO ts_kv (entity_id, key, ts, dbl_v, long_v)
    SELECT md5('d' || 1 + n % 4)::uuid, 1 + n % 3, 1767225600000 + n * 900000, n / 7.0, n FROM generate_series(1, 400) n;
ALTER TABLE ts_kv SET (timescaledb.compress, timescaledb.compress_segmentby = 'entity_id, key', timescaledb.compress_orderby = 'ts DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('ts_kv', older_than => 1767225600000 + 3 * 86400000::bigint) c;
SELECT add_compression_policy('ts_kv', compress_after => 604800000::bigint);
SELECT add_retention_policy('ts_kv', drop_after => 31536000000::bigint);
