-- change: sensors have a serial number
ALTER TABLE sensors ADD COLUMN serial varchar(40) UNIQUE;
-- change: rows wait longer before the columnstore
CALL remove_columnstore_policy('conditions');
CALL add_columnstore_policy('conditions', after => INTERVAL '14 days');
-- change: an index on the payload's topic
CREATE INDEX raw_payload_topic_idx ON raw_payload (topic, received DESC);
-- change: hourly values are kept in real time
ALTER MATERIALIZED VIEW conditions_hourly SET (timescaledb.materialized_only = false);
-- change: conditions carry a pressure with a default
ALTER TABLE conditions ADD COLUMN pressure real NOT NULL DEFAULT 1013;
