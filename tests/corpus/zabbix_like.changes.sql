-- change: items have a uuid
ALTER TABLE items ADD uuid varchar(32) DEFAULT '' NOT NULL;
CREATE INDEX items_9 ON items (uuid);
-- change: strings of history grow
ALTER TABLE history_str ALTER COLUMN value TYPE varchar(2048);
-- change: strings are compressed as well
ALTER TABLE history_str SET (timescaledb.compress, timescaledb.compress_segmentby = 'itemid', timescaledb.compress_orderby = 'clock,ns');
SELECT add_compression_policy('history_str', 612000);
-- change: history is kept for half as long
SELECT remove_retention_policy('history');
SELECT add_retention_policy('history', 3888000);
-- change: a table of tags
CREATE TABLE item_tag (itemtagid bigint NOT NULL, itemid bigint NOT NULL, tag varchar(255) DEFAULT '' NOT NULL, value varchar(255) DEFAULT '' NOT NULL, PRIMARY KEY (itemtagid));
CREATE INDEX item_tag_1 ON item_tag (itemid);
ALTER TABLE ONLY item_tag ADD CONSTRAINT fk_item_tag_1 FOREIGN KEY (itemid) REFERENCES items (itemid) ON DELETE CASCADE;
