-- change: blocks know their size
ALTER TABLE chain.blocks ADD COLUMN size_bytes int, ADD COLUMN blob_gas chain.uint256;
-- change: balances are found by token
CREATE INDEX balances_token ON chain.balances (token, amount DESC);
-- change: logs are kept for half a year
SELECT remove_retention_policy('chain.event_logs');
SELECT add_retention_policy('chain.event_logs', drop_created_before => INTERVAL '180 days');
-- change: the head counts what is final alone
CREATE OR REPLACE FUNCTION chain.head() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT coalesce(max(number), 0) - 64 FROM chain.blocks';
-- change: the state of a sync can fail
ALTER TABLE chain.sync_state ADD COLUMN error text, ADD CONSTRAINT sync_state_height CHECK (height >= -1);
