-- change: logs know their environment
ALTER TABLE logs ADD COLUMN environment text NOT NULL DEFAULT 'prod';
-- change: spans are kept for a week
SELECT remove_retention_policy('spans');
SELECT add_retention_policy('spans', INTERVAL '7 days');
-- change: trace ids are looked up
CREATE INDEX logs_trace_idx ON logs USING hash (trace_id) WHERE trace_id IS NOT NULL;
-- change: one more level
ALTER TABLE logs DROP CONSTRAINT logs_level_check;
ALTER TABLE logs ADD CONSTRAINT logs_level_check CHECK (level = ANY (ARRAY['trace', 'debug', 'info', 'warn', 'error', 'fatal']));
-- change: services tell where they run
ALTER TABLE services ALTER COLUMN owner_team SET DEFAULT 'unowned', ADD COLUMN region text COLLATE "C";
