-- Style: a reservation system for rooms and equipment.
-- Exercises: exclusion constraints (gist, partial, deferrable), ranges and multiranges, DEFERRABLE unique for ordering,
-- tstzrange generated column, weekday arrays, check with functions, btree_gist, isempty, partial unique keys.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE TYPE booking_state AS ENUM ('tentative', 'confirmed', 'cancelled');
CREATE TABLE rooms (id int PRIMARY KEY, name text NOT NULL, capacity smallint NOT NULL CHECK (capacity > 0), display_order int NOT NULL, CONSTRAINT rooms_order UNIQUE (display_order) DEFERRABLE INITIALLY IMMEDIATE);
CREATE TABLE opening_hours (room_id int NOT NULL REFERENCES rooms ON DELETE CASCADE, weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7), hours int4multirange NOT NULL DEFAULT '{[480,1080)}', PRIMARY KEY (room_id, weekday), CHECK (NOT isempty(hours)));
CREATE TABLE guests (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), full_name text NOT NULL, phone varchar(30), blacklisted boolean NOT NULL DEFAULT false);
CREATE TABLE bookings (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, room_id int NOT NULL, guest_id uuid REFERENCES guests ON DELETE SET NULL, starts timestamptz NOT NULL, ends timestamptz NOT NULL, during tstzrange GENERATED ALWAYS AS (tstzrange(starts, ends, '[)')) STORED, state booking_state NOT NULL DEFAULT 'tentative', seats smallint NOT NULL DEFAULT 1,
    CONSTRAINT bookings_room_fk FOREIGN KEY (room_id) REFERENCES rooms MATCH FULL ON UPDATE CASCADE, CONSTRAINT bookings_order CHECK (ends > starts),
    CONSTRAINT bookings_no_overlap EXCLUDE USING gist (room_id WITH =, during WITH &&) WHERE (state <> 'cancelled'));
CREATE INDEX bookings_guest ON bookings (guest_id) WHERE guest_id IS NOT NULL;
CREATE TABLE blocked (room_id int NOT NULL REFERENCES rooms, days daterange NOT NULL, reason text, CONSTRAINT blocked_once EXCLUDE USING gist (room_id WITH =, days WITH -|-, days WITH &&) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE prices (room_id int NOT NULL REFERENCES rooms, season daterange NOT NULL, price money NOT NULL, PRIMARY KEY (room_id, season), EXCLUDE USING gist (room_id WITH =, season WITH &&));
CREATE TABLE equipment (code text PRIMARY KEY, room_id int REFERENCES rooms, last_check date, UNIQUE NULLS NOT DISTINCT (room_id, code));
CREATE TABLE occupancy (at timestamptz NOT NULL, room_id int NOT NULL, people smallint NOT NULL, CONSTRAINT occupancy_people CHECK (people >= 0));
SELECT create_hypertable('occupancy', by_range('at', INTERVAL '1 day'));
CREATE FUNCTION room_is_free(p_room int, p_during tstzrange) RETURNS boolean LANGUAGE sql STABLE STRICT AS $$ SELECT NOT EXISTS (SELECT FROM bookings b WHERE b.room_id = p_room AND b.during && p_during AND b.state <> 'cancelled') $$;
CREATE VIEW free_rooms AS SELECT r.id, r.name FROM rooms r WHERE room_is_free(r.id, tstzrange(now(), now() + interval '1 hour'));
INSERT INTO rooms SELECT n, 'Room ' || n, n * 2, n FROM generate_series(1, 6) n;
INSERT INTO opening_hours (room_id, weekday) SELECT r, d FROM generate_series(1, 6) r, generate_series(1, 5) d;
INSERT INTO guests (id, full_name) SELECT md5(n::text)::uuid, 'Guest ' || n FROM generate_series(1, 10) n;
INSERT INTO bookings (room_id, guest_id, starts, ends, state) SELECT 1 + n % 6, md5((1 + n % 10)::text)::uuid, '2026-01-01'::timestamptz + n * interval '2 hours', '2026-01-01'::timestamptz + n * interval '2 hours' + interval '1 hour', 'confirmed' FROM generate_series(1, 60) n;
INSERT INTO blocked SELECT n, daterange('2026-03-01', '2026-03-05'), 'paint' FROM generate_series(1, 3) n;
INSERT INTO prices SELECT n, daterange('2026-01-01', '2026-06-01'), n * 10 FROM generate_series(1, 6) n;
INSERT INTO equipment SELECT 'E' || n, 1 + n % 6 FROM generate_series(1, 9) n;
INSERT INTO occupancy SELECT '2026-01-01'::timestamptz + n * interval '30 min', 1 + n % 6, n % 9 FROM generate_series(1, 200) n;
ALTER TABLE occupancy SET (timescaledb.compress, timescaledb.compress_segmentby = 'room_id');
SELECT count(compress_chunk(c)) FROM show_chunks('occupancy', older_than => '2026-01-03'::timestamptz) c;
