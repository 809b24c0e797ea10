-- change: devices get an external id
ALTER TABLE device ADD COLUMN external_id uuid;
ALTER TABLE device ADD CONSTRAINT device_external_id_unq_key UNIQUE (tenant_id, external_id);
-- change: telemetry may be a float of half the size
ALTER TABLE ts_kv_latest ADD COLUMN version bigint NOT NULL DEFAULT 0;
ALTER TABLE ts_kv_latest ALTER COLUMN key TYPE bigint;
-- change: telemetry is kept for two years
SELECT remove_retention_policy('ts_kv');
SELECT add_retention_policy('ts_kv', drop_after => 63072000000::bigint);
-- change: one more transport
ALTER TABLE device_profile DROP CONSTRAINT device_profile_transport_type_check;
ALTER TABLE device_profile ADD CONSTRAINT device_profile_transport_type_check
    CHECK (transport_type IN ('DEFAULT', 'MQTT', 'COAP', 'LWM2M', 'SNMP'));
-- change: the view says what is a gateway
DROP VIEW device_info;
CREATE VIEW device_info AS
    SELECT d.*, p.name AS profile_name, COALESCE(p.transport_type IN ('MQTT', 'COAP', 'SNMP'), false) AS is_light
      FROM device d JOIN device_profile p ON p.id = d.device_profile_id;
