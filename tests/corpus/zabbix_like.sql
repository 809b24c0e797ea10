-- Style: a monitoring server with housekeeping by itself: history and trends tables keyed by item and unix seconds.
-- Exercises: integer hypertables (clock as integer) with ns column, upper-case defaults in quotes, bigint ids without
-- sequences, an ids table, integer now function, integer retention and compression, changelog triggers by function.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE role (roleid bigint NOT NULL, name varchar(255) DEFAULT '' NOT NULL, type integer DEFAULT '0' NOT NULL, readonly integer DEFAULT '0' NOT NULL, PRIMARY KEY (roleid));
CREATE UNIQUE INDEX role_1 ON role (name);
CREATE TABLE users (userid bigint NOT NULL, username varchar(100) DEFAULT '' NOT NULL, passwd varchar(60) DEFAULT '' NOT NULL, autologout varchar(32) DEFAULT '15m' NOT NULL, roleid bigint DEFAULT NULL NULL, PRIMARY KEY (userid));
CREATE TABLE hosts (hostid bigint NOT NULL, proxyid bigint NULL, host varchar(128) DEFAULT '' NOT NULL, status integer DEFAULT '0' NOT NULL, name_upper varchar(128) DEFAULT '' NOT NULL, PRIMARY KEY (hostid));
CREATE INDEX hosts_1 ON hosts (host); CREATE INDEX hosts_6 ON hosts (name_upper);
CREATE TABLE items (itemid bigint NOT NULL, hostid bigint NOT NULL, key_ varchar(2048) DEFAULT '' NOT NULL, delay varchar(1024) DEFAULT '0' NOT NULL, value_type integer DEFAULT '0' NOT NULL, units varchar(255) DEFAULT '' NOT NULL, master_itemid bigint NULL, PRIMARY KEY (itemid));
CREATE INDEX items_1 ON items (hostid, substring(key_ from 1 for 1021));
CREATE TABLE triggers (triggerid bigint NOT NULL, expression varchar(2048) DEFAULT '' NOT NULL, priority integer DEFAULT '0' NOT NULL, lastchange integer DEFAULT '0' NOT NULL, comments text DEFAULT '' NOT NULL, PRIMARY KEY (triggerid));
CREATE TABLE functions (functionid bigint NOT NULL, itemid bigint NOT NULL, triggerid bigint NOT NULL, name varchar(12) DEFAULT '' NOT NULL, PRIMARY KEY (functionid));
CREATE TABLE changelog (changelogid bigserial NOT NULL, object integer DEFAULT '0' NOT NULL, objectid bigint NOT NULL, operation integer DEFAULT '0' NOT NULL, clock integer DEFAULT '0' NOT NULL, PRIMARY KEY (changelogid));
CREATE TABLE ids (table_name varchar(64) DEFAULT '' NOT NULL, field_name varchar(64) DEFAULT '' NOT NULL, nextid bigint NOT NULL, PRIMARY KEY (table_name, field_name));
CREATE TABLE history (itemid bigint NOT NULL, clock integer DEFAULT '0' NOT NULL, value DOUBLE PRECISION DEFAULT '0.0000' NOT NULL, ns integer DEFAULT '0' NOT NULL, PRIMARY KEY (itemid, clock, ns));
CREATE TABLE history_uint (itemid bigint NOT NULL, clock integer DEFAULT '0' NOT NULL, value numeric(20) DEFAULT '0' NOT NULL, ns integer DEFAULT '0' NOT NULL, PRIMARY KEY (itemid, clock, ns));
CREATE TABLE history_str (itemid bigint NOT NULL, clock integer DEFAULT '0' NOT NULL, value varchar(255) DEFAULT '' NOT NULL, ns integer DEFAULT '0' NOT NULL, PRIMARY KEY (itemid, clock, ns));
CREATE TABLE trends (itemid bigint NOT NULL, clock integer DEFAULT '0' NOT NULL, num integer DEFAULT '0' NOT NULL, value_min DOUBLE PRECISION DEFAULT '0.0000' NOT NULL, value_avg DOUBLE PRECISION DEFAULT '0.0000' NOT NULL, value_max DOUBLE PRECISION DEFAULT '0.0000' NOT NULL, PRIMARY KEY (itemid, clock));
ALTER TABLE ONLY users ADD CONSTRAINT c_users_1 FOREIGN KEY (roleid) REFERENCES role (roleid) ON DELETE CASCADE;
ALTER TABLE ONLY hosts ADD CONSTRAINT c_hosts_1 FOREIGN KEY (proxyid) REFERENCES hosts (hostid);
ALTER TABLE ONLY items ADD CONSTRAINT c_items_1 FOREIGN KEY (hostid) REFERENCES hosts (hostid) ON DELETE CASCADE;
ALTER TABLE ONLY items ADD CONSTRAINT c_items_5 FOREIGN KEY (master_itemid) REFERENCES items (itemid);
ALTER TABLE ONLY functions ADD CONSTRAINT c_functions_1 FOREIGN KEY (itemid) REFERENCES items (itemid) ON DELETE CASCADE;
ALTER TABLE ONLY functions ADD CONSTRAINT c_functions_2 FOREIGN KEY (triggerid) REFERENCES triggers (triggerid) ON DELETE CASCADE;
CREATE FUNCTION ts_unix_now() RETURNS integer LANGUAGE SQL STABLE AS $$ SELECT extract(epoch from now())::integer $$;
CREATE FUNCTION changelog_hosts_insert() RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO changelog (object, objectid, operation, clock) VALUES (1, NEW.hostid, 1, cast(extract(epoch from now()) as int));
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER hosts_insert AFTER INSERT ON hosts FOR EACH ROW EXECUTE FUNCTION changelog_hosts_insert();
CREATE FUNCTION hosts_name_upper_upper() RETURNS TRIGGER AS $$
BEGIN
    UPDATE hosts SET name_upper = upper(host) WHERE hostid = NEW.hostid;
    RETURN null;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER hosts_name_upper_insert AFTER INSERT ON hosts FOR EACH ROW EXECUTE FUNCTION hosts_name_upper_upper();
SELECT create_hypertable('history', 'clock', chunk_time_interval => 86400, migrate_data => true, if_not_exists => true);
SELECT create_hypertable('history_uint', 'clock', chunk_time_interval => 86400, migrate_data => true);
SELECT create_hypertable('history_str', 'clock', chunk_time_interval => 86400, migrate_data => true);
SELECT create_hypertable('trends', 'clock', chunk_time_interval => 2592000, migrate_data => true);
SELECT set_integer_now_func(t, 'ts_unix_now', true) FROM unnest(ARRAY['history', 'history_uint', 'history_str', 'trends']::regclass[]) t;
INSERT INTO role VALUES (1, 'User role', 1, 0), (3, 'Super admin role', 3, 1);
INSERT INTO users (userid, username, roleid) VALUES (1, 'Admin', 3), (2, 'guest', 1);
INSERT INTO hosts (hostid, host) SELECT 10000 + n, 'Server ' || n FROM generate_series(1, 5) n;
INSERT INTO items (itemid, hostid, key_) SELECT 20000 + n, 10001 + n % 5, 'system.cpu[' || n || ']' FROM generate_series(1, 20) n;
INSERT INTO history SELECT 20001 + n % 20, 1767225600 + n * 600, n, n FROM generate_series(1, 600) n;
INSERT INTO history_uint SELECT 20001 + n % 20, 1767225600 + n * 600, n, n FROM generate_series(1, 400) n;
INSERT INTO trends SELECT 20001 + n % 20, 1767225600 + n * 3600, 1, n, n, n FROM generate_series(1, 200) n;
ALTER TABLE history SET (timescaledb.compress, timescaledb.compress_segmentby = 'itemid', timescaledb.compress_orderby = 'clock,ns');
ALTER TABLE trends SET (timescaledb.compress, timescaledb.compress_segmentby = 'itemid', timescaledb.compress_orderby = 'clock');
SELECT count(compress_chunk(c)) FROM show_chunks('history', older_than => 1767398400) c;
SELECT add_compression_policy('history', 612000), add_compression_policy('trends', 612000);
SELECT add_retention_policy('history', 7776000);
