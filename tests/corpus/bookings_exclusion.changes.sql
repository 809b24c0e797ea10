-- change: rooms have a floor
ALTER TABLE rooms ADD COLUMN floor smallint;
-- change: tentative bookings may overlap
ALTER TABLE bookings DROP CONSTRAINT bookings_no_overlap;
ALTER TABLE bookings ADD CONSTRAINT bookings_no_overlap EXCLUDE USING gist (room_id WITH =, during WITH &&) WHERE (state = 'confirmed');
-- change: the order of rooms is checked at the end
ALTER TABLE rooms DROP CONSTRAINT rooms_order;
ALTER TABLE rooms ADD CONSTRAINT rooms_order UNIQUE (display_order) DEFERRABLE INITIALLY DEFERRED;
-- change: no-shows
ALTER TYPE booking_state ADD VALUE 'no_show';
-- change: occupancy is compressed later and dropped
SELECT add_compression_policy('occupancy', INTERVAL '10 days');
SELECT add_retention_policy('occupancy', INTERVAL '100 days');
