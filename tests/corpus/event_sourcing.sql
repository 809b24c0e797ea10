-- Style: an event store with streams, snapshots, projections, outbox and subscriptions.
-- Exercises: global sequence, exclusion of gaps by trigger, jsonb checks, composite type and its array as parameter,
-- function with SETOF record and RAISE, hypertable by uuid stream with bigint position, REPLICA IDENTITY, hash partition.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA es;
CREATE TYPE es.new_event AS (event_id uuid, type text, data jsonb, metadata jsonb);
CREATE SEQUENCE es.global_position AS bigint START WITH 1 MINVALUE 0 CACHE 20;
CREATE TABLE es.streams (stream_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(1000) NOT NULL, category text GENERATED ALWAYS AS (split_part(name, '-', 1)) STORED, version bigint NOT NULL DEFAULT -1, archived_at timestamptz, CONSTRAINT uq_streams_name UNIQUE (name));
CREATE INDEX ix_streams_category ON es.streams (category) INCLUDE (version);
CREATE TABLE es.events (global_position bigint NOT NULL DEFAULT nextval('es.global_position'), stream_id bigint NOT NULL, version bigint NOT NULL, event_id uuid NOT NULL, type varchar(128) NOT NULL, data jsonb NOT NULL, metadata jsonb, created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_events PRIMARY KEY (stream_id, version, created_at), CONSTRAINT ck_events_data CHECK (jsonb_typeof(data) = 'object'), CONSTRAINT ck_version CHECK (version >= 0));
SELECT create_hypertable('es.events', 'created_at', chunk_time_interval => INTERVAL '7 days', create_default_indexes => false);
CREATE INDEX ix_events_position ON es.events (global_position);
CREATE INDEX ix_events_type ON es.events USING btree (type, created_at DESC);
CREATE INDEX ix_events_correlation ON es.events ((metadata ->> 'correlationId')) WHERE metadata ? 'correlationId';
CREATE TABLE es.snapshots (stream_id bigint NOT NULL REFERENCES es.streams ON DELETE CASCADE, version bigint NOT NULL, state jsonb NOT NULL, PRIMARY KEY (stream_id, version)) PARTITION BY HASH (stream_id);
CREATE TABLE es.snapshots_0 PARTITION OF es.snapshots FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE es.snapshots_1 PARTITION OF es.snapshots FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE es.subscriptions (name text PRIMARY KEY, position bigint NOT NULL DEFAULT 0, locked_until timestamptz, owner uuid) WITH (fillfactor = 50);
CREATE TABLE es.outbox (id bigint GENERATED ALWAYS AS IDENTITY, topic text NOT NULL, payload bytea NOT NULL, headers jsonb DEFAULT jsonb_build_object(), sent boolean NOT NULL DEFAULT false, CONSTRAINT outbox_pk PRIMARY KEY (id));
ALTER TABLE es.outbox REPLICA IDENTITY FULL;
CREATE INDEX outbox_unsent ON es.outbox (id) WHERE sent IS FALSE;
CREATE TABLE es.order_projection (order_no text PRIMARY KEY, state text NOT NULL, total numeric(12,2), last_version bigint NOT NULL);
CREATE FUNCTION es.append(p_stream text, p_expected bigint, p_events es.new_event[]) RETURNS TABLE (stream bigint, last_version bigint) LANGUAGE plpgsql AS $$
DECLARE s es.streams; e es.new_event; v bigint;
BEGIN
    INSERT INTO es.streams (name) VALUES (p_stream) ON CONFLICT (name) DO NOTHING;
    SELECT * INTO s FROM es.streams WHERE name = p_stream FOR UPDATE;
    IF p_expected <> -2 AND s.version <> p_expected THEN RAISE EXCEPTION 'WrongExpectedVersion: % is at %', p_stream, s.version USING ERRCODE = 'P0001', HINT = 'read again'; END IF;
    v := s.version;
    FOREACH e IN ARRAY p_events LOOP
        v := v + 1;
        INSERT INTO es.events (stream_id, version, event_id, type, data, metadata, created_at) VALUES (s.stream_id, v, e.event_id, e.type, e.data, e.metadata, '2026-01-01'::timestamptz + v * interval '6 hours');
    END LOOP;
    UPDATE es.streams SET version = v WHERE stream_id = s.stream_id;
    RETURN QUERY SELECT s.stream_id, v;
END $$;
CREATE FUNCTION es.deny_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'events are never changed'; END $$;
CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE ON es.events FOR EACH ROW EXECUTE FUNCTION es.deny_change();
CREATE VIEW es.all_events AS SELECT e.global_position, s.name AS stream, e.version, e.type, e.data, e.created_at FROM es.events e JOIN es.streams s USING (stream_id) ORDER BY e.global_position;
SELECT es.append('order-' || n % 6, -2, ARRAY[(md5(n::text)::uuid, 'Placed', '{"total": 5}', '{"correlationId": "x"}')::es.new_event, (md5('p' || n)::uuid, 'Paid', '{}', NULL)::es.new_event]) FROM generate_series(1, 60) n;
INSERT INTO es.snapshots SELECT n, 5, '{}' FROM generate_series(1, 6) n;
INSERT INTO es.subscriptions (name) VALUES ('projector'), ('mailer');
INSERT INTO es.outbox (topic, payload) SELECT 'orders', '\xdeadbeef' FROM generate_series(1, 10) n;
