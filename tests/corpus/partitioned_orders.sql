-- Style: a large shop's orders in PostgreSQL's own partitions, beside a hypertable for events.
-- Exercises: partitioning by range, list and hash, sub-partitions, default partition, partitioned indexes and keys,
-- attached partitions, foreign key to and from a partitioned table, table inheritance, foreign key to a hypertable.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE regions (code char(2) PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY, region char(2) NOT NULL REFERENCES regions, placed_on date NOT NULL, customer_id bigint NOT NULL, total numeric(12,2) NOT NULL CHECK (total >= 0), note text, PRIMARY KEY (id, placed_on, region)) PARTITION BY RANGE (placed_on);
CREATE TABLE orders_2025 PARTITION OF orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE orders_2026 PARTITION OF orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (region);
CREATE TABLE orders_2026_at PARTITION OF orders_2026 FOR VALUES IN ('AT', 'CH');
CREATE TABLE orders_2026_rest PARTITION OF orders_2026 DEFAULT;
CREATE TABLE orders_other PARTITION OF orders DEFAULT;
CREATE INDEX orders_customer_idx ON orders (customer_id, placed_on DESC);
CREATE UNIQUE INDEX orders_2025_note ON orders_2025 (note) WHERE note IS NOT NULL;
CREATE TABLE order_lines (order_id bigint NOT NULL, placed_on date NOT NULL, region char(2) NOT NULL, line_no smallint NOT NULL, sku text NOT NULL, quantity int NOT NULL DEFAULT 1, PRIMARY KEY (order_id, placed_on, line_no), FOREIGN KEY (order_id, placed_on, region) REFERENCES orders (id, placed_on, region) ON DELETE CASCADE);
CREATE TABLE carts (id uuid NOT NULL, shard int NOT NULL DEFAULT 1, payload jsonb, PRIMARY KEY (id)) PARTITION BY HASH (id);
CREATE TABLE carts_0 PARTITION OF carts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE carts_1 PARTITION OF carts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE carts_2 (id uuid NOT NULL, shard int NOT NULL DEFAULT 1, payload jsonb, PRIMARY KEY (id));
ALTER TABLE carts ATTACH PARTITION carts_2 FOR VALUES WITH (MODULUS 3, REMAINDER 2);
CREATE TABLE addresses (id serial PRIMARY KEY, street text, city text NOT NULL);
CREATE TABLE business_addresses (vat_no text, CONSTRAINT vat_len CHECK (length(vat_no) > 4)) INHERITS (addresses);
CREATE TABLE order_events (at timestamptz NOT NULL, order_id bigint NOT NULL, kind text NOT NULL, PRIMARY KEY (order_id, at));
SELECT create_hypertable('order_events', 'at', chunk_time_interval => INTERVAL '1 month');
CREATE TABLE event_notes (order_id bigint, at timestamptz, note text, FOREIGN KEY (order_id, at) REFERENCES order_events (order_id, at) ON DELETE CASCADE);
CREATE VIEW open_orders AS SELECT o.id, o.region, o.total FROM orders o WHERE o.placed_on >= '2026-01-01';
CREATE FUNCTION order_year(d date) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT extract(year FROM d)::int';
INSERT INTO regions VALUES ('AT', 'Austria'), ('DE', 'Germany'), ('CH', 'Switzerland');
INSERT INTO orders (region, placed_on, customer_id, total) SELECT (ARRAY['AT', 'DE', 'CH'])[1 + n % 3], '2025-06-01'::date + n * 2, n % 20, n FROM generate_series(1, 240) n;
INSERT INTO order_lines SELECT id, placed_on, region, 1, 'SKU' || id % 9 FROM orders WHERE id <= 100;
INSERT INTO carts (id, payload) SELECT md5(n::text)::uuid, '{}' FROM generate_series(1, 30) n;
INSERT INTO business_addresses (street, city, vat_no) SELECT 'Street ' || n, 'Vienna', 'ATU' || n + 100 FROM generate_series(1, 8) n;
INSERT INTO order_events SELECT '2026-01-01'::timestamptz + n * interval '12 hours', 1 + n % 60, 'placed' FROM generate_series(1, 150) n;
INSERT INTO event_notes SELECT order_id, at, 'n' FROM order_events LIMIT 10;
