-- change: events know their tenant
ALTER TABLE es.events ADD COLUMN tenant smallint NOT NULL DEFAULT 1;
-- change: subscriptions fail
ALTER TABLE es.subscriptions ADD COLUMN failures int NOT NULL DEFAULT 0, ADD COLUMN last_error text, ADD CONSTRAINT ck_failures CHECK (failures < 1000);
-- change: the outbox is partitioned by topic in an index
CREATE INDEX outbox_topic ON es.outbox (topic, id) WHERE NOT sent;
-- change: old events are compressed
ALTER TABLE es.events SET (timescaledb.compress, timescaledb.compress_segmentby = 'stream_id', timescaledb.compress_orderby = 'version');
SELECT add_compression_policy('es.events', INTERVAL '90 days');
-- change: the view hides the data
DROP VIEW es.all_events;
CREATE VIEW es.all_events AS SELECT e.global_position, s.name AS stream, e.version, e.type, e.created_at FROM es.events e JOIN es.streams s USING (stream_id) ORDER BY e.global_position;
