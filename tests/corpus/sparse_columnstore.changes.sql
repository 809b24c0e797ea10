-- change: a column with a default over compressed chunks
ALTER TABLE postings ADD COLUMN channel smallint NOT NULL DEFAULT 1;
-- change: another sparse index
ALTER TABLE transfer SET (timescaledb.sparse_index = 'bloom(digest)');
-- change: fees are ordered
ALTER TABLE fees SET (timescaledb.orderby = 'at DESC', timescaledb.segmentby = 'account');
-- change: chunks of two days
SELECT set_chunk_time_interval('transfer', INTERVAL '2 days');
-- change: holders are unique
ALTER TABLE accounts ADD CONSTRAINT accounts_holder UNIQUE (holder), ALTER COLUMN opened DROP DEFAULT;
