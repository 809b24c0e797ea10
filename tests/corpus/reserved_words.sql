-- Style: a schema of somebody who named everything by the first word that came to mind.
-- Exercises: reserved words, blanks, quotes, dots, per cents, non-ASCII and 63-byte names for schemas, tables, columns,
-- constraints, indexes, types, functions, views, aggregates; a table called like its schema; columns time, position, value.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE SCHEMA "select"; CREATE SCHEMA "Größe & Co."; CREATE SCHEMA stock;
CREATE TYPE "select"."case" AS ENUM ('when', 'then', 'ELSE', 'it''s');
CREATE TABLE "select"."table" ("order" int NOT NULL, "group" text, "user" name DEFAULT current_user, "default" text DEFAULT 'de''fault', "case" "select"."case" NOT NULL DEFAULT 'ELSE', "primary key" int, CONSTRAINT "primary" PRIMARY KEY ("order"), CONSTRAINT "check" CHECK ("group" <> '' AND "primary key" > 0));
CREATE INDEX "index" ON "select"."table" ("group", "primary key" DESC);
CREATE TABLE "Größe & Co."."Tabelle ""A""" ("Länge" numeric(6,2), "a.b" int, "100%" real, "with space" text NOT NULL DEFAULT E'\\', "references" int, CONSTRAINT "fk.dotted" FOREIGN KEY ("references") REFERENCES "select"."table" ("order"));
CREATE TABLE stock.stock (time timestamptz NOT NULL, position int NOT NULL, value float8, "timestamp" timestamp, "date" date, "interval" interval, "user" int, "end" boolean);
SELECT create_hypertable('stock.stock', 'time');
CREATE INDEX stock_position_time ON stock.stock (position, time DESC);
CREATE INDEX stock_value ON stock.stock (value) WHERE position > 0;
CREATE TABLE "Readings" ("Time" timestamptz NOT NULL, "Device Id" int NOT NULL, "Value" float8, CONSTRAINT "Readings_pk" PRIMARY KEY ("Device Id", "Time"));
SELECT create_hypertable('"Readings"', 'Time');
CREATE TABLE a_table_whose_name_is_exactly_as_long_as_postgresql_allows_x63 (a_column_whose_name_is_exactly_as_long_as_postgresql_allows_63 int PRIMARY KEY, b int REFERENCES a_table_whose_name_is_exactly_as_long_as_postgresql_allows_x63);
CREATE FUNCTION "select"."function"("in" int, "out" text DEFAULT 'x', OUT "end" int, OUT "limit" text) LANGUAGE sql STABLE AS $$ SELECT "in", "out" $$;
CREATE VIEW "select"."view" AS SELECT t."order" AS "from", t."group" AS "where", t."case" = 'when' AS "is when" FROM "select"."table" t;
CREATE FUNCTION "trigger fn"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER "before" BEFORE INSERT OR UPDATE OF "group", "primary key" ON "select"."table" FOR EACH ROW WHEN (NEW."group" IS NOT NULL) EXECUTE FUNCTION "trigger fn"(' EXECUTE FUNCTION g()', '"quoted"');
COMMENT ON TABLE "Größe & Co."."Tabelle ""A""" IS 'Ünïcode — “quotes” and ''apostrophes'', a \ too';
COMMENT ON COLUMN "Größe & Co."."Tabelle ""A"""."100%" IS '50% of 100%';
INSERT INTO "select"."table" ("order", "group", "primary key") SELECT n, 'g' || n, n FROM generate_series(1, 20) n;
INSERT INTO "Größe & Co."."Tabelle ""A""" SELECT n, n, n, 'x', 1 FROM generate_series(1, 5) n;
INSERT INTO stock.stock SELECT '2026-01-01'::timestamptz + n * interval '2 hours', n % 5, n, '2026-01-01', '2026-01-01', '1 day', n, true FROM generate_series(1, 200) n;
INSERT INTO "Readings" SELECT '2026-01-01'::timestamptz + n * interval '2 hours', n % 5, n FROM generate_series(1, 200) n;
ALTER TABLE stock.stock SET (timescaledb.compress, timescaledb.compress_segmentby = 'position, "user"', timescaledb.compress_orderby = '"time" DESC, "end"');
ALTER TABLE "Readings" SET (timescaledb.compress, timescaledb.compress_segmentby = '"Device Id"');
SELECT count(compress_chunk(c)) FROM show_chunks('stock.stock', older_than => '2026-01-08'::timestamptz) c;
SELECT count(compress_chunk(c)) FROM show_chunks('"Readings"', older_than => '2026-01-08'::timestamptz) c;
CREATE MATERIALIZED VIEW "select"."Daily values" WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', "Time") AS "Day", "Device Id", avg("Value") AS "Avg Value" FROM "Readings" GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('"select"."Daily values"', NULL, NULL);
