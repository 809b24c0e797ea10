-- Style: a blockchain indexer: blocks, transactions, logs, balances; heights as time.
-- Exercises: numeric(78,0) by a domain, bytea keys with length checks, bigint hypertables with small intervals,
-- retention by created time (no now function), composite primary keys on hypertables, hash indexes, ON CONFLICT data.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA chain;
CREATE DOMAIN chain.uint256 AS numeric(78,0) CHECK (VALUE >= 0);
CREATE DOMAIN chain.address AS bytea CHECK (octet_length(VALUE) = 20);
CREATE TABLE chain.blocks (number bigint NOT NULL, hash bytea NOT NULL, parent_hash bytea NOT NULL, miner chain.address, gas_used bigint NOT NULL, base_fee chain.uint256, ts bigint NOT NULL,
    CONSTRAINT blocks_pkey PRIMARY KEY (number), CONSTRAINT blocks_hash_len CHECK (octet_length(hash) = 32));
SELECT create_hypertable('chain.blocks', 'number', chunk_time_interval => 100);
CREATE TABLE chain.transactions (block_number bigint NOT NULL, tx_index int NOT NULL, hash bytea NOT NULL, "from" chain.address NOT NULL, "to" chain.address, value numeric(78,0) NOT NULL DEFAULT 0,
    input bytea, status smallint, PRIMARY KEY (block_number, tx_index));
SELECT create_hypertable('chain.transactions', by_range('block_number', 100));
CREATE INDEX transactions_hash ON chain.transactions USING hash (hash);
CREATE INDEX transactions_from ON chain.transactions ("from", block_number DESC);
CREATE TABLE chain.event_logs (block_number bigint NOT NULL, log_index int NOT NULL, address chain.address NOT NULL, topics bytea[] NOT NULL DEFAULT '{}', topic0 bytea GENERATED ALWAYS AS (topics[1]) STORED, data bytea,
    PRIMARY KEY (block_number, log_index));
SELECT create_hypertable('chain.event_logs', by_range('block_number', 100));
CREATE INDEX event_logs_topic0 ON chain.event_logs (topic0, block_number) WHERE topic0 IS NOT NULL;
CREATE TABLE chain.balances (address chain.address, token chain.address, amount chain.uint256 NOT NULL, updated_block bigint NOT NULL, PRIMARY KEY (address, token));
CREATE TABLE chain.sync_state (name text PRIMARY KEY, height bigint NOT NULL DEFAULT -1, reorged boolean NOT NULL DEFAULT false);
CREATE FUNCTION chain.head() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT coalesce(max(number), 0) FROM chain.blocks';
SELECT set_integer_now_func('chain.blocks', 'chain.head');
CREATE FUNCTION chain.hex(b bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT RETURN '0x' || encode(b, 'hex');
CREATE VIEW chain.recent AS SELECT number, chain.hex(hash) AS hash, to_timestamp(ts) AS mined_at FROM chain.blocks ORDER BY number DESC LIMIT 100;
INSERT INTO chain.blocks SELECT n, sha256(n::text::bytea), sha256((n - 1)::text::bytea), decode(left(md5(n::text) || md5('x'), 40), 'hex'), 21000 * n, 7::numeric * 10 ^ 9, 1767225600 + 12 * n FROM generate_series(1, 350) n;
INSERT INTO chain.transactions SELECT n, i, sha256((n || '-' || i)::bytea), decode(left(md5(i::text) || md5('x'), 40), 'hex'), NULL, 10::numeric ^ 60 + n, NULL, 1 FROM generate_series(1, 350) n, generate_series(0, 1) i;
INSERT INTO chain.event_logs (block_number, log_index, address, topics) SELECT n, 0, decode(left(md5('t') || md5('x'), 40), 'hex'), ARRAY[sha256('Transfer'), sha256(n::text::bytea)] FROM generate_series(1, 350) n;
INSERT INTO chain.balances SELECT decode(left(md5(n::text) || md5('x'), 40), 'hex'), decode(left(md5('t') || md5('x'), 40), 'hex'), 2::numeric ^ 255 - n, n FROM generate_series(1, 20) n;
INSERT INTO chain.sync_state VALUES ('blocks', 350), ('logs', 350);
ALTER TABLE chain.transactions SET (timescaledb.compress, timescaledb.compress_orderby = 'block_number, tx_index');
SELECT count(compress_chunk(c)) FROM show_chunks('chain.transactions', older_than => 200) c;
SELECT add_compression_policy('chain.transactions', compress_created_before => INTERVAL '7 days');
ALTER TABLE chain.event_logs SET (timescaledb.compress, timescaledb.compress_segmentby = 'address', timescaledb.compress_orderby = 'block_number DESC, log_index DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('chain.event_logs', older_than => 200) c;
SELECT add_retention_policy('chain.event_logs', drop_created_before => INTERVAL '90 days');
CREATE MATERIALIZED VIEW chain.gas_per_epoch WITH (timescaledb.continuous) AS
    SELECT time_bucket(32, number) AS epoch, sum(gas_used) AS gas, count(*) AS blocks FROM chain.blocks GROUP BY 1 WITH NO DATA;
CALL refresh_continuous_aggregate('chain.gas_per_epoch', 0, 352);
