-- change: vacuum less often
ALTER TABLE hot_rows SET (autovacuum_vacuum_scale_factor = 0.05), ADD COLUMN touched timestamptz;
-- change: names are longer ones of a limit
ALTER TABLE hot_rows ALTER COLUMN name TYPE varchar(200);
-- change: an index is packed
ALTER INDEX hot_rows_name SET (fillfactor = 100);
-- change: more statistics
CREATE STATISTICS wide_bc ON b, c FROM wide;
-- change: a column is stored plainly, samples by another index
ALTER TABLE wide ALTER COLUMN c SET STORAGE EXTERNAL;
DROP INDEX samples_series;
CREATE INDEX samples_series ON samples (series, at) WITH (fillfactor = 95);
