-- change: Add uid column to user
ALTER TABLE "user" ADD COLUMN "uid" VARCHAR(40) NULL;
CREATE UNIQUE INDEX "UQE_user_uid" ON "user" ("uid");
-- change: alter kv_store.value and url to longer types
ALTER TABLE "data_source" ALTER "url" TYPE VARCHAR(1024), ALTER "name" TYPE TEXT;
-- change: drop index, add another
DROP INDEX "IDX_dashboard_is_folder";
CREATE INDEX "IDX_dashboard_org_id_folder_id_title" ON "dashboard" ("org_id", "folder_id", "title");
-- change: create api_key table v2
CREATE TABLE "api_key" ("id" SERIAL PRIMARY KEY NOT NULL, "org_id" BIGINT NOT NULL, "name" VARCHAR(190) NOT NULL, "key" VARCHAR(190) NOT NULL, "role" VARCHAR(255) NOT NULL, "expires" BIGINT NULL);
CREATE UNIQUE INDEX "UQE_api_key_key" ON "api_key" ("key");
-- change: history is kept for two years
SELECT add_retention_policy('alert_history', INTERVAL '2 years');
