-- Style: a manufacturing execution system: lines, machines, orders, steps, quality, states of machines over time.
-- Exercises: two schemas, foreign keys to each other (a cycle), enums, generated columns, interval and range types,
-- trigger that keeps updated_at, check constraints with IN on varchar, hypertable with reorder, composite keys.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA mes; CREATE SCHEMA quality;
CREATE TYPE mes.machine_state AS ENUM ('running', 'idle', 'setup', 'down', 'maintenance');
CREATE TABLE mes.plants (code char(4) PRIMARY KEY, name varchar(100) NOT NULL, timezone text NOT NULL DEFAULT 'Europe/Berlin');
CREATE TABLE mes.lines (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, plant_code char(4) NOT NULL REFERENCES mes.plants ON UPDATE CASCADE, name varchar(80) NOT NULL,
    lead_machine_id int);
CREATE TABLE mes.machines (id int GENERATED ALWAYS AS IDENTITY (START WITH 100) PRIMARY KEY, line_id int NOT NULL REFERENCES mes.lines, serial_no varchar(40) NOT NULL UNIQUE,
    ideal_cycle_s numeric(8,3) NOT NULL CHECK (ideal_cycle_s > 0), installed date, updated_at timestamptz NOT NULL DEFAULT now());
ALTER TABLE mes.lines ADD CONSTRAINT lines_lead_machine_fk FOREIGN KEY (lead_machine_id) REFERENCES mes.machines (id) ON DELETE SET NULL;
CREATE TABLE mes.products (sku varchar(32) PRIMARY KEY, description text, weight_g numeric(10,2), unit varchar(3) NOT NULL DEFAULT 'PC' CHECK (unit IN ('PC', 'KG', 'M')));
CREATE TABLE mes.work_orders (no bigint PRIMARY KEY, sku varchar(32) NOT NULL REFERENCES mes.products, line_id int NOT NULL REFERENCES mes.lines,
    planned tstzrange NOT NULL, quantity int NOT NULL, scrap int NOT NULL DEFAULT 0, good int GENERATED ALWAYS AS (quantity - scrap) STORED,
    CONSTRAINT work_orders_scrap_ck CHECK (scrap BETWEEN 0 AND quantity));
CREATE TABLE mes.operations (order_no bigint REFERENCES mes.work_orders ON DELETE CASCADE, seq smallint, machine_id int REFERENCES mes.machines, setup_time interval,
    PRIMARY KEY (order_no, seq));
CREATE TABLE mes.machine_states (at timestamptz NOT NULL, machine_id int NOT NULL, state mes.machine_state NOT NULL, reason_code smallint, operator varchar(20));
SELECT create_hypertable('mes.machine_states', 'at', chunk_time_interval => INTERVAL '1 week');
CREATE INDEX machine_states_machine_at ON mes.machine_states (machine_id, at DESC);
CREATE TABLE mes.cycles (at timestamptz NOT NULL, machine_id int NOT NULL, order_no bigint, seconds real NOT NULL, ok boolean NOT NULL DEFAULT true);
SELECT create_hypertable('mes.cycles', 'at', chunk_time_interval => INTERVAL '1 day');
CREATE INDEX cycles_machine_at ON mes.cycles (machine_id, at);
CREATE TABLE quality.inspections (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), order_no bigint NOT NULL, op_seq smallint NOT NULL, measured jsonb NOT NULL DEFAULT '{}',
    passed boolean, inspected_at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, FOREIGN KEY (order_no, op_seq) REFERENCES mes.operations (order_no, seq) ON DELETE CASCADE);
CREATE INDEX inspections_failed ON quality.inspections (inspected_at) WHERE NOT passed;
CREATE FUNCTION mes.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE TRIGGER machines_touch BEFORE UPDATE ON mes.machines FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION mes.touch();
CREATE VIEW quality.yield AS SELECT o.sku, sum(o.good)::numeric / nullif(sum(o.quantity), 0) AS yield FROM mes.work_orders o GROUP BY o.sku;
INSERT INTO mes.plants VALUES ('BER1', 'Berlin'), ('MUC2', 'Munich');
INSERT INTO mes.lines (plant_code, name) SELECT 'BER1', 'Line ' || n FROM generate_series(1, 3) n;
INSERT INTO mes.machines (line_id, serial_no, ideal_cycle_s) SELECT 1 + n % 3, 'SN' || n, 12.5 FROM generate_series(1, 9) n;
UPDATE mes.lines SET lead_machine_id = 100 WHERE id = 1;
INSERT INTO mes.products SELECT 'SKU' || n, 'product ' || n, n * 10, 'PC' FROM generate_series(1, 5) n;
INSERT INTO mes.work_orders SELECT n, 'SKU' || 1 + n % 5, 1 + n % 3, tstzrange('2026-01-01', '2026-01-02'), 100, n % 7 FROM generate_series(1, 20) n;
INSERT INTO mes.operations SELECT n, s, 100 + n % 9, '00:15:00' FROM generate_series(1, 20) n, generate_series(1, 2) s;
INSERT INTO mes.machine_states SELECT '2026-01-01'::timestamptz + n * interval '2 hours', 100 + n % 9, (enum_range(NULL::mes.machine_state))[1 + n % 5], n % 4, NULL FROM generate_series(1, 200) n;
INSERT INTO mes.cycles SELECT '2026-01-01'::timestamptz + n * interval '30 min', 100 + n % 9, 1 + n % 20, 12 + n % 3, n % 11 > 0 FROM generate_series(1, 200) n;
INSERT INTO quality.inspections (order_no, op_seq, passed) SELECT 1 + n % 20, 1, n % 5 > 0 FROM generate_series(1, 40) n;
ALTER TABLE mes.cycles SET (timescaledb.compress, timescaledb.compress_segmentby = 'machine_id', timescaledb.compress_orderby = 'at DESC NULLS LAST');
SELECT count(compress_chunk(c)) FROM show_chunks('mes.cycles', older_than => '2026-01-04'::timestamptz) c;
SELECT add_compression_policy('mes.cycles', INTERVAL '3 days');
SELECT add_reorder_policy('mes.machine_states', 'machine_states_machine_at');
CREATE MATERIALIZED VIEW mes.output_shift WITH (timescaledb.continuous) AS
    SELECT time_bucket('8 hours', at, 'Europe/Berlin') AS shift, machine_id, count(*) FILTER (WHERE ok) AS good, count(*) AS total, avg(seconds) AS avg_seconds
      FROM mes.cycles GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('mes.output_shift', NULL, NULL);
