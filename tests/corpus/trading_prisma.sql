-- Style: a trading terminal whose tables Prisma made: quoted mixed-case names, enums, cuid text keys.
-- Exercises: mixed-case tables, columns, enums, indexes and hypertable; mixed-case segment-by and order-by; aggregates
-- over them; the migrations table with a leading underscore; timestamp(3).
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TYPE "OrderSide" AS ENUM ('BUY', 'SELL');
CREATE TYPE "OrderStatus" AS ENUM ('OPEN', 'FILLED', 'CANCELLED');
CREATE TABLE "_prisma_migrations" (id varchar(36) NOT NULL PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
    migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0);
CREATE TABLE "User" ("id" TEXT NOT NULL, "email" TEXT NOT NULL, "displayName" TEXT, "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Account" ("id" TEXT NOT NULL, "userId" TEXT NOT NULL, "balance" DECIMAL(65,30) NOT NULL DEFAULT 0, "currency" TEXT NOT NULL DEFAULT 'USD',
    CONSTRAINT "Account_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Order" ("id" TEXT NOT NULL, "accountId" TEXT NOT NULL, "symbolKey" TEXT NOT NULL, "side" "OrderSide" NOT NULL,
    "status" "OrderStatus" NOT NULL DEFAULT 'OPEN', "limitPrice" DECIMAL(18,8), "tags" TEXT[] DEFAULT ARRAY[]::TEXT[], "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Order_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Quote" ("symbolKey" TEXT NOT NULL, "ts" TIMESTAMPTZ(3) NOT NULL, "bidPrice" DOUBLE PRECISION, "askPrice" DOUBLE PRECISION,
    "lastSize" INTEGER, "my col" INTEGER, CONSTRAINT "Quote_pkey" PRIMARY KEY ("symbolKey", "ts"));
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE INDEX "Order_accountId_status_idx" ON "Order"("accountId", "status");
ALTER TABLE "Account" ADD CONSTRAINT "Account_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "Order" ADD CONSTRAINT "Order_accountId_fkey" FOREIGN KEY ("accountId") REFERENCES "Account"("id") ON DELETE CASCADE ON UPDATE CASCADE;
SELECT create_hypertable('"Quote"', by_range('ts', INTERVAL '1 day'), create_default_indexes => FALSE);
CREATE INDEX "Quote_ts_idx" ON "Quote" ("ts" DESC);
INSERT INTO "User" SELECT 'u' || n, n || '@example.org', 'User ' || n, '2026-01-01' FROM generate_series(1, 5) n;
INSERT INTO "Account" SELECT 'a' || n, 'u' || n, n * 1000, 'EUR' FROM generate_series(1, 5) n;
INSERT INTO "Order" SELECT 'o' || n, 'a' || 1 + n % 5, 'SYM' || n % 3, (ARRAY['BUY', 'SELL'])[1 + n % 2]::"OrderSide", 'FILLED', n, ARRAY['x', 'y'], '2026-01-02' FROM generate_series(1, 40) n;
INSERT INTO "Quote" SELECT 'SYM' || n % 3, '2026-01-01'::timestamptz + n * interval '20 min', n, n + 0.5, n % 10, n FROM generate_series(1, 300) n;
ALTER TABLE "Quote" SET (timescaledb.enable_columnstore, timescaledb.segmentby = '"symbolKey"', timescaledb.orderby = 'ts DESC, "lastSize"');
SELECT count(compress_chunk(c)) FROM show_chunks('"Quote"', older_than => '2026-01-04'::timestamptz) c;
CALL add_columnstore_policy('"Quote"', INTERVAL '2 days');
CREATE MATERIALIZED VIEW "QuoteDaily" WITH (timescaledb.continuous) AS
    SELECT "symbolKey", time_bucket('1 day', ts) AS "Bucket", last("bidPrice", ts) AS "lastBid", max("askPrice") AS "highAsk"
      FROM "Quote" GROUP BY 1, 2 WITH NO DATA;
CALL refresh_continuous_aggregate('"QuoteDaily"', NULL, '2026-01-05');
SELECT add_continuous_aggregate_policy('"QuoteDaily"', INTERVAL '7 days', INTERVAL '1 hour', INTERVAL '1 hour');
CREATE VIEW "OpenOrders" AS SELECT o."id", o."symbolKey", a."userId" FROM "Order" o JOIN "Account" a ON a."id" = o."accountId" WHERE o."status" = 'OPEN';
