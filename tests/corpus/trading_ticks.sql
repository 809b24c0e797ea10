-- Style: a market data store: trades in milliseconds, candles of a minute, an hour and a day on top of each other.
-- Exercises: bigint buckets, hierarchical aggregates over a bigint time, integer offsets in policies, numeric columns,
-- first/last, a hash dimension, a function that reads candles, an index on the aggregate.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA market;
CREATE TABLE market.exchanges (id smallint PRIMARY KEY, code varchar(12) NOT NULL UNIQUE, tz text NOT NULL DEFAULT 'UTC');
CREATE TABLE market.symbols (id serial PRIMARY KEY, exchange_id smallint NOT NULL REFERENCES market.exchanges, ticker varchar(20) NOT NULL,
    kind char(1) NOT NULL DEFAULT 'S' CHECK (kind IN ('S', 'F', 'O')), tick_size numeric(12,6) NOT NULL CHECK (tick_size > 0),
    UNIQUE (exchange_id, ticker));
CREATE TABLE market.ticks (symbol_id int NOT NULL REFERENCES market.symbols, ts_ms bigint NOT NULL, price numeric(18,6) NOT NULL,
    size bigint NOT NULL DEFAULT 0, flags bit varying(8));
SELECT create_hypertable('market.ticks', by_range('ts_ms', 86400000));
SELECT add_dimension('market.ticks', by_hash('symbol_id', 2));
CREATE INDEX ticks_symbol_ts_idx ON market.ticks (symbol_id, ts_ms DESC) INCLUDE (price);
CREATE FUNCTION market.ticks_now() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT (extract(epoch FROM now()) * 1000)::bigint';
SELECT set_integer_now_func('market.ticks', 'market.ticks_now');
INSERT INTO market.exchanges VALUES (1, 'XNYS', 'America/New_York'), (2, 'XETR', 'Europe/Berlin');
INSERT INTO market.symbols (exchange_id, ticker, tick_size) SELECT 1 + n % 2, 'T' || n, 0.01 FROM generate_series(1, 6) n;
INSERT INTO market.ticks SELECT 1 + n % 6, 1767225600000 + n * 600000::bigint, 100 + n / 9.0, n, B'101' FROM generate_series(1, 500) n;
ALTER TABLE market.ticks SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol_id', timescaledb.compress_orderby = 'ts_ms');
SELECT count(compress_chunk(c)) FROM show_chunks('market.ticks', older_than => 1767398400000) c;
CREATE MATERIALIZED VIEW market.bars_1m WITH (timescaledb.continuous) AS
    SELECT symbol_id, time_bucket(BIGINT '60000', ts_ms) AS bucket, first(price, ts_ms) AS open, max(price) AS high,
           min(price) AS low, last(price, ts_ms) AS close, sum(size) AS volume
      FROM market.ticks GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW market.bars_1h WITH (timescaledb.continuous) AS
    SELECT symbol_id, time_bucket(3600000::bigint, bucket) AS bucket, first(open, bucket) AS open, max(high) AS high,
           min(low) AS low, last(close, bucket) AS close, sum(volume) AS volume
      FROM market.bars_1m GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('market.bars_1m', NULL, NULL::bigint);
CALL refresh_continuous_aggregate('market.bars_1h', NULL, NULL::bigint);
CREATE INDEX ON market.bars_1m (volume DESC, bucket);
SELECT add_continuous_aggregate_policy('market.bars_1m', start_offset => BIGINT '86400000', end_offset => BIGINT '60000', schedule_interval => INTERVAL '1 minute');
SELECT add_continuous_aggregate_policy('market.bars_1h', start_offset => 604800000::bigint, end_offset => 3600000::bigint, schedule_interval => INTERVAL '1 hour');
SELECT add_retention_policy('market.ticks', BIGINT '2592000000');
CREATE FUNCTION market.last_close(p_symbol int) RETURNS numeric LANGUAGE sql STABLE COST 50 AS
    $$ SELECT close FROM market.bars_1m WHERE symbol_id = p_symbol ORDER BY bucket DESC LIMIT 1 $$;
