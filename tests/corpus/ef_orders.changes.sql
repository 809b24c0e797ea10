-- change: a nullable property
ALTER TABLE "Sales"."Orders" ADD "ShippedAt" timestamp with time zone;
-- change: a required property with a default, as EF writes it
ALTER TABLE "Sales"."Customers" ADD "IsActive" boolean NOT NULL DEFAULT FALSE;
-- change: longer codes in both tables
ALTER TABLE "Sales"."OrderLines" ALTER COLUMN "Sku" TYPE character varying(60);
-- change: an index of two columns replaces one of one
DROP INDEX "Sales"."IX_Orders_CustomerCode";
CREATE INDEX "IX_Orders_CustomerCode_Kind" ON "Sales"."Orders" ("CustomerCode", "Kind");
-- change: prices go to the columnstore by themselves
SELECT add_compression_policy('"Sales"."PriceHistory"', INTERVAL '30 days');
