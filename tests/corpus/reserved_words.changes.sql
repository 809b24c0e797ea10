-- change: more odd columns
ALTER TABLE "select"."table" ADD COLUMN "column" text, ADD COLUMN "Offset" int NOT NULL DEFAULT 0;
-- change: another order of the index
DROP INDEX "select"."index";
CREATE INDEX "index" ON "select"."table" ("primary key", "group" COLLATE "C");
-- change: a value with an apostrophe
ALTER TYPE "select"."case" ADD VALUE 'don''t';
-- change: readings are kept a year
SELECT add_retention_policy('"Readings"', INTERVAL '1 year');
-- change: the view is longer
CREATE OR REPLACE VIEW "select"."view" AS SELECT t."order" AS "from", t."group" AS "where", t."case" = 'when' AS "is when", t."user" AS "having" FROM "select"."table" t;
