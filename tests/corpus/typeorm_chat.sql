-- Style: a chat server made by TypeORM: hashed constraint names, uuid-ossp defaults, camelCase columns, metadata table.
-- Exercises: PK_<hash>, FK_<hash>, REL_, IDX_ names, enum types named table_column_enum, closure table, simple-array
-- as text, typeorm_metadata, uuid_generate_v4 defaults, view registered, timestamps without zone by now().
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TYPE "public"."channel_kind_enum" AS ENUM('text', 'voice', 'dm');
CREATE TYPE "public"."member_role_enum" AS ENUM('0', '1', '2');
CREATE TABLE "typeorm_metadata" ("type" character varying NOT NULL, "database" character varying, "schema" character varying, "table" character varying, "name" character varying, "value" text);
CREATE TABLE "migrations" ("id" SERIAL NOT NULL, "timestamp" bigint NOT NULL, "name" character varying NOT NULL, CONSTRAINT "PK_8c82d7f526340ab734260ea46be" PRIMARY KEY ("id"));
CREATE TABLE "user" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), "userName" character varying(32) NOT NULL, "avatarUrl" character varying, "isBot" boolean NOT NULL DEFAULT false, "createdAt" TIMESTAMP NOT NULL DEFAULT now(), "updatedAt" TIMESTAMP NOT NULL DEFAULT now(), "deletedAt" TIMESTAMP, CONSTRAINT "UQ_da5934070b5f2726ebfd3122c80" UNIQUE ("userName"), CONSTRAINT "PK_cace4a159ff9f2512dd42373760" PRIMARY KEY ("id"));
CREATE TABLE "channel" ("id" uuid NOT NULL DEFAULT uuid_generate_v4(), "kind" "public"."channel_kind_enum" NOT NULL DEFAULT 'text', "topic" text, "slowModeSeconds" integer NOT NULL DEFAULT '0', "parentId" uuid, CONSTRAINT "CHK_5a1f" CHECK ("slowModeSeconds" >= 0), CONSTRAINT "PK_590f33ee6ee7d76437acf362e39" PRIMARY KEY ("id"));
CREATE TABLE "channel_closure" ("id_ancestor" uuid NOT NULL, "id_descendant" uuid NOT NULL, CONSTRAINT "PK_closure_1f" PRIMARY KEY ("id_ancestor", "id_descendant"));
CREATE INDEX "IDX_4ec8d495300259f2322760a39f" ON "channel_closure" ("id_ancestor");
CREATE TABLE "member" ("channelId" uuid NOT NULL, "userId" uuid NOT NULL, "role" "public"."member_role_enum" NOT NULL DEFAULT '0', "joinedAt" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), CONSTRAINT "PK_member" PRIMARY KEY ("channelId", "userId"));
CREATE TABLE "settings" ("id" SERIAL NOT NULL, "userId" uuid, "locale" character varying(5) NOT NULL DEFAULT 'en', "flags" text, CONSTRAINT "REL_2c8f" UNIQUE ("userId"), CONSTRAINT "PK_settings" PRIMARY KEY ("id"));
CREATE TABLE "message" ("sentAt" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now(), "id" uuid NOT NULL DEFAULT uuid_generate_v4(), "channelId" uuid NOT NULL, "authorId" uuid, "content" character varying(4000) NOT NULL, "embeds" jsonb, "editCount" smallint NOT NULL DEFAULT '0', CONSTRAINT "PK_message" PRIMARY KEY ("id", "sentAt"));
SELECT create_hypertable('message', 'sentAt', chunk_time_interval => INTERVAL '7 days', create_default_indexes => false);
CREATE INDEX "IDX_message_channel" ON "message" ("channelId", "sentAt" DESC);
ALTER TABLE "channel" ADD CONSTRAINT "FK_channel_parent" FOREIGN KEY ("parentId") REFERENCES "channel"("id") ON DELETE NO ACTION ON UPDATE NO ACTION;
ALTER TABLE "channel_closure" ADD CONSTRAINT "FK_4ec8d495300259f2322760a39fb" FOREIGN KEY ("id_ancestor") REFERENCES "channel"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
ALTER TABLE "member" ADD CONSTRAINT "FK_member_user" FOREIGN KEY ("userId") REFERENCES "user"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "member" ADD CONSTRAINT "FK_member_channel" FOREIGN KEY ("channelId") REFERENCES "channel"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "settings" ADD CONSTRAINT "FK_settings_user" FOREIGN KEY ("userId") REFERENCES "user"("id") ON DELETE SET NULL ON UPDATE NO ACTION;
ALTER TABLE "message" ADD CONSTRAINT "FK_message_author" FOREIGN KEY ("authorId") REFERENCES "user"("id") ON DELETE SET NULL ON UPDATE NO ACTION;
CREATE VIEW "active_user" AS SELECT "u"."id", "u"."userName", COUNT("m"."id") AS "messages" FROM "user" "u" LEFT JOIN "message" "m" ON "m"."authorId" = "u"."id" WHERE "u"."deletedAt" IS NULL GROUP BY "u"."id";
INSERT INTO "typeorm_metadata" VALUES ('VIEW', NULL, 'public', NULL, 'active_user', 'SELECT 1');
INSERT INTO "user" ("id", "userName") SELECT md5(n::text)::uuid, 'user' || n FROM generate_series(1, 10) n;
INSERT INTO "channel" ("id") SELECT md5('c' || n)::uuid FROM generate_series(1, 4) n;
INSERT INTO "member" ("channelId", "userId") SELECT md5('c' || 1 + n % 4)::uuid, md5(n::text)::uuid FROM generate_series(1, 10) n;
INSERT INTO "message" ("sentAt", "id", "channelId", "authorId", "content") SELECT '2026-01-01'::timestamptz + n * interval '1 hour', md5('m' || n)::uuid, md5('c' || 1 + n % 4)::uuid, md5((1 + n % 10)::text)::uuid, 'Hello ' || n FROM generate_series(1, 400) n;
ALTER TABLE "message" SET (timescaledb.compress, timescaledb.compress_segmentby = '"channelId"', timescaledb.compress_orderby = '"sentAt" DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('message', older_than => '2026-01-10'::timestamptz) c;
SELECT add_compression_policy('message', INTERVAL '30 days');
