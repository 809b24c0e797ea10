-- change: an optional relation, as prisma migrate writes it
ALTER TABLE "Order" ADD COLUMN "parentOrderId" TEXT;
ALTER TABLE "Order" ADD CONSTRAINT "Order_parentOrderId_fkey" FOREIGN KEY ("parentOrderId") REFERENCES "Order"("id") ON DELETE SET NULL ON UPDATE CASCADE;
-- change: a value of an enum
ALTER TYPE "OrderStatus" ADD VALUE 'EXPIRED';
-- change: quotes are segmented and ordered by other columns
ALTER TABLE "Quote" SET (timescaledb.orderby = 'ts DESC');
-- change: unique per account and symbol
CREATE INDEX "Order_symbolKey_idx" ON "Order"("symbolKey" text_pattern_ops);
-- change: the daily aggregate is refreshed further back
SELECT remove_continuous_aggregate_policy('"QuoteDaily"');
SELECT add_continuous_aggregate_policy('"QuoteDaily"', INTERVAL '30 days', INTERVAL '2 hours', INTERVAL '1 hour');
