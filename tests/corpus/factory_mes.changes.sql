-- change: machines have an owner
ALTER TABLE mes.machines ADD COLUMN cost_center varchar(10) NOT NULL DEFAULT 'none';
-- change: a state of machines
ALTER TYPE mes.machine_state ADD VALUE 'blocked' AFTER 'idle';
-- change: scrap may not exceed half of an order
ALTER TABLE mes.work_orders DROP CONSTRAINT work_orders_scrap_ck;
ALTER TABLE mes.work_orders ADD CONSTRAINT work_orders_scrap_ck CHECK (scrap >= 0 AND scrap <= quantity / 2);
-- change: an index for open inspections, the one for failures goes
CREATE INDEX inspections_open ON quality.inspections (order_no) WHERE passed IS NULL;
DROP INDEX quality.inspections_failed;
-- change: cycles are kept for two years
SELECT add_retention_policy('mes.cycles', INTERVAL '2 years');
