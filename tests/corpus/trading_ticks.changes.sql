-- change: exchanges say where they are
ALTER TABLE market.exchanges ADD COLUMN country char(2);
COMMENT ON COLUMN market.exchanges.country IS 'ISO 3166';
-- change: tickers grow longer
ALTER TABLE market.symbols ALTER COLUMN ticker TYPE varchar(40);
-- change: ticks are kept for sixty days
SELECT remove_retention_policy('market.ticks');
SELECT add_retention_policy('market.ticks', BIGINT '5184000000');
-- change: hours carry the number of trades beneath them
CREATE VIEW market.candles AS SELECT s.ticker, b.* FROM market.bars_1h b JOIN market.symbols s ON s.id = b.symbol_id;
-- change: the last close is found by another way
CREATE OR REPLACE FUNCTION market.last_close(p_symbol int) RETURNS numeric LANGUAGE sql STABLE COST 50 AS
    $$ SELECT last(close, bucket) FROM market.bars_1m WHERE symbol_id = p_symbol $$;
