-- change: orders have a channel, in every partition
ALTER TABLE orders ADD COLUMN channel text NOT NULL DEFAULT 'web';
-- change: the next year
CREATE TABLE orders_2027 PARTITION OF orders FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
-- change: an index on all partitions
CREATE INDEX orders_region_idx ON orders (region);
-- change: lines have a price
ALTER TABLE order_lines ADD COLUMN price numeric(10,2), ADD CONSTRAINT order_lines_quantity CHECK (quantity > 0);
-- change: events are compressed
ALTER TABLE order_events SET (timescaledb.compress, timescaledb.compress_segmentby = 'order_id');
