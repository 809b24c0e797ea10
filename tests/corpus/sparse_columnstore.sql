-- Style: a payments ledger on the newest columnstore features.
-- Exercises: tsdb.sparse_index, chunk skipping, compress_chunk_time_interval, CREATE TABLE ... WITH (tsdb...), a uuid v7
-- like key, columnstore on two order-by columns, generated and default columns in compressed chunks.
CREATE EXTENSION IF NOT EXISTS timescaledb;
SET timescaledb.enable_chunk_skipping = on;
CREATE TABLE accounts (id bigint PRIMARY KEY, holder text NOT NULL, opened date NOT NULL DEFAULT '2026-01-01');
CREATE TABLE transfer (at timestamptz NOT NULL, block bigint NOT NULL, digest text, kind int, account bigint REFERENCES accounts)
    WITH (tsdb.hypertable, tsdb.partition_column = 'at', tsdb.chunk_interval = '1 day', tsdb.orderby = 'at DESC', tsdb.sparse_index = 'bloom(digest),minmax(kind)');
SELECT enable_chunk_skipping('transfer', 'block');
ALTER TABLE transfer SET (timescaledb.compress_chunk_time_interval = '7 days');
CREATE TABLE postings (booked timestamptz NOT NULL, account bigint NOT NULL, amount numeric(18,2) NOT NULL, sign smallint GENERATED ALWAYS AS (sign(amount)::smallint) STORED, ref uuid NOT NULL)
    WITH (tsdb.hypertable, tsdb.partition_column = 'booked', tsdb.segmentby = 'account', tsdb.orderby = 'booked DESC, ref', tsdb.chunk_interval = '3 days');
SELECT enable_chunk_skipping('postings', 'booked') WHERE false;
CREATE UNIQUE INDEX postings_ref ON postings (ref, booked);
CREATE TABLE fees (at timestamptz NOT NULL, account bigint, fee real DEFAULT 0.5);
SELECT create_hypertable('fees', 'at');
ALTER TABLE fees SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'account');
INSERT INTO accounts SELECT n, 'Holder ' || n FROM generate_series(1, 10) n;
INSERT INTO transfer SELECT '2026-01-01'::timestamptz + n * interval '20 min', n, md5(n::text), n % 5, 1 + n % 10 FROM generate_series(1, 500) n;
INSERT INTO postings (booked, account, amount, ref) SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 1 + n % 10, n - 150, md5(n::text)::uuid FROM generate_series(1, 300) n;
INSERT INTO fees SELECT '2026-01-01'::timestamptz + n * interval '3 hours', 1 + n % 10 FROM generate_series(1, 150) n;
SELECT count(compress_chunk(c)) FROM show_chunks('transfer', older_than => '2026-01-05'::timestamptz) c;
SELECT count(compress_chunk(c)) FROM show_chunks('postings', older_than => '2026-01-08'::timestamptz) c;
SELECT count(compress_chunk(c)) FROM show_chunks('fees') c;
ALTER TABLE fees ADD COLUMN currency char(3) NOT NULL DEFAULT 'EUR', ADD COLUMN waived boolean DEFAULT false;
CREATE VIEW balances AS SELECT account, sum(amount) AS balance FROM postings GROUP BY account;
CREATE MATERIALIZED VIEW transfers_daily WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS day, kind, count(*) AS n, count(digest) AS digests FROM transfer GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('transfers_daily', NULL, NULL);
