-- Style: a dashboard server's own tables as its xorm migrator makes them: UQE_ and IDX_ indexes, no foreign keys.
-- Exercises: a column and a table called "user", "order"-like reserved names, text defaults, json as text, many unique
-- indexes with long names, identity by serial, columns named "type", "column", "limit", boolean stored as integer.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE "migration_log" ("id" SERIAL PRIMARY KEY NOT NULL, "migration_id" VARCHAR(255) NOT NULL, "sql" TEXT NOT NULL, "success" BOOL NOT NULL, "error" TEXT NOT NULL, "timestamp" TIMESTAMP NOT NULL);
CREATE TABLE "user" ("id" SERIAL PRIMARY KEY NOT NULL, "version" INTEGER NOT NULL, "login" VARCHAR(190) NOT NULL, "email" VARCHAR(190) NOT NULL, "name" VARCHAR(255) NULL, "is_admin" BOOL NOT NULL, "help_flags1" BIGINT NOT NULL DEFAULT 0, "created" TIMESTAMP NOT NULL, "last_seen_at" TIMESTAMP NULL, "is_disabled" BOOL NOT NULL DEFAULT false);
CREATE UNIQUE INDEX "UQE_user_login" ON "user" ("login");
CREATE UNIQUE INDEX "UQE_user_email" ON "user" ("email");
CREATE INDEX "IDX_user_login_email" ON "user" ("login", "email");
CREATE TABLE "org" ("id" SERIAL PRIMARY KEY NOT NULL, "version" INTEGER NOT NULL, "name" VARCHAR(190) NOT NULL, "city" VARCHAR(255) NULL, "created" TIMESTAMP NOT NULL);
CREATE UNIQUE INDEX "UQE_org_name" ON "org" ("name");
CREATE TABLE "dashboard" ("id" SERIAL PRIMARY KEY NOT NULL, "version" INTEGER NOT NULL, "slug" VARCHAR(189) NOT NULL, "title" VARCHAR(189) NOT NULL, "data" TEXT NOT NULL, "org_id" BIGINT NOT NULL, "uid" VARCHAR(40) NULL, "folder_id" BIGINT NOT NULL DEFAULT 0, "is_folder" BOOL NOT NULL DEFAULT false, "deleted" TIMESTAMP NULL);
CREATE UNIQUE INDEX "UQE_dashboard_org_id_uid" ON "dashboard" ("org_id", "uid");
CREATE INDEX "IDX_dashboard_org_id" ON "dashboard" ("org_id");
CREATE INDEX "IDX_dashboard_is_folder" ON "dashboard" ("is_folder");
CREATE TABLE "data_source" ("id" SERIAL PRIMARY KEY NOT NULL, "org_id" BIGINT NOT NULL, "type" VARCHAR(255) NOT NULL, "name" VARCHAR(190) NOT NULL, "access" VARCHAR(255) NOT NULL, "url" VARCHAR(255) NOT NULL, "user" VARCHAR(255) NULL, "database" VARCHAR(255) NULL, "is_default" BOOL NOT NULL, "json_data" TEXT NULL, "read_only" BOOL NULL);
CREATE UNIQUE INDEX "UQE_data_source_org_id_name" ON "data_source" ("org_id", "name");
CREATE TABLE "annotation" ("id" SERIAL PRIMARY KEY NOT NULL, "org_id" BIGINT NOT NULL, "type" VARCHAR(25) NOT NULL, "text" TEXT NOT NULL, "epoch" BIGINT NOT NULL, "epoch_end" BIGINT NOT NULL DEFAULT 0, "tags" VARCHAR(4096) NULL, "column" INTEGER, "limit" INTEGER);
CREATE INDEX "IDX_annotation_org_id_epoch_epoch_end" ON "annotation" ("org_id", "epoch", "epoch_end");
CREATE TABLE "alert_rule" ("id" SERIAL PRIMARY KEY NOT NULL, "org_id" BIGINT NOT NULL, "title" VARCHAR(190) NOT NULL, "condition" VARCHAR(190) NOT NULL, "data" TEXT NOT NULL, "interval_seconds" BIGINT NOT NULL DEFAULT 60, "no_data_state" VARCHAR(15) NOT NULL DEFAULT 'NoData', "for" BIGINT NOT NULL DEFAULT 0, "labels" TEXT);
CREATE UNIQUE INDEX "UQE_alert_rule_org_id_title" ON "alert_rule" ("org_id", "title");
CREATE TABLE "alert_instance" ("rule_org_id" BIGINT NOT NULL, "rule_uid" VARCHAR(40) NOT NULL DEFAULT 0, "labels" TEXT NOT NULL, "labels_hash" VARCHAR(190) NOT NULL, "current_state" VARCHAR(190) NOT NULL, "last_eval_time" BIGINT NOT NULL, PRIMARY KEY ("rule_org_id", "rule_uid", "labels_hash"));
CREATE TABLE "kv_store" ("id" SERIAL PRIMARY KEY NOT NULL, "org_id" BIGINT NOT NULL, "namespace" VARCHAR(190) NOT NULL, "key" VARCHAR(190) NOT NULL, "value" TEXT NOT NULL, "created" TIMESTAMP NOT NULL);
CREATE UNIQUE INDEX "UQE_kv_store_org_id_namespace_key" ON "kv_store" ("org_id", "namespace", "key");
CREATE TABLE "alert_history" ("time" TIMESTAMPTZ NOT NULL, "rule_uid" VARCHAR(40) NOT NULL, "state" VARCHAR(20) NOT NULL CHECK ("state" IN ('Normal', 'Alerting', 'NoData', 'Error')), "value" DOUBLE PRECISION);
SELECT create_hypertable('alert_history', 'time', chunk_time_interval => INTERVAL '1 month');
INSERT INTO "user" ("version", "login", "email", "is_admin", "created") SELECT 0, 'user' || n, n || '@localhost', n = 1, '2026-01-01' FROM generate_series(1, 6) n;
INSERT INTO "org" ("version", "name", "created") VALUES (0, 'Main Org.', '2026-01-01');
INSERT INTO "dashboard" ("version", "slug", "title", "data", "org_id", "uid") SELECT 1, 's' || n, 'Dashboard ' || n, '{"panels": []}', 1, 'uid' || n FROM generate_series(1, 12) n;
INSERT INTO "alert_rule" ("org_id", "title", "condition", "data") SELECT 1, 'Rule ' || n, 'A', '[]' FROM generate_series(1, 5) n;
INSERT INTO "alert_history" SELECT '2026-01-01'::timestamptz + n * interval '4 hours', 'uid' || n % 5, (ARRAY['Normal', 'Alerting'])[1 + n % 2], n FROM generate_series(1, 300) n;
ALTER TABLE "alert_history" SET (timescaledb.compress, timescaledb.compress_segmentby = 'rule_uid');
SELECT count(compress_chunk(c)) FROM show_chunks('alert_history', older_than => '2026-02-01'::timestamptz) c;
