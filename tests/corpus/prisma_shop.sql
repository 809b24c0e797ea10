-- Style: a web shop made by Prisma migrations, implicit many-to-many tables and all.
-- Exercises: "_AToB" relation tables, @map'ed snake names beside quoted ones, native enum arrays, citext, cuid defaults,
-- unique index instead of unique constraint, onDelete and onUpdate of every kind, no hypertable at all.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE "Role" AS ENUM ('USER', 'ADMIN', 'SUPER_ADMIN');
CREATE TYPE "PaymentState" AS ENUM ('pending', 'paid', 'refunded');
CREATE TABLE "User" ("id" SERIAL NOT NULL, "email" CITEXT NOT NULL, "name" TEXT, "roles" "Role"[] DEFAULT ARRAY['USER']::"Role"[], "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Profile" ("id" SERIAL NOT NULL, "bio" VARCHAR(500), "userId" INTEGER NOT NULL, CONSTRAINT "Profile_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Category" ("id" SERIAL NOT NULL, "name" TEXT NOT NULL, "parentId" INTEGER, CONSTRAINT "Category_pkey" PRIMARY KEY ("id"));
CREATE TABLE "product_items" ("id" UUID NOT NULL DEFAULT gen_random_uuid(), "title" VARCHAR(255) NOT NULL, "priceCents" INTEGER NOT NULL, "attributes" JSONB NOT NULL DEFAULT '{}', "is_published" BOOLEAN NOT NULL DEFAULT false, CONSTRAINT "product_items_pkey" PRIMARY KEY ("id"));
CREATE TABLE "_CategoryToProduct" ("A" INTEGER NOT NULL, "B" UUID NOT NULL);
CREATE TABLE "Cart" ("userId" INTEGER NOT NULL, "productId" UUID NOT NULL, "quantity" SMALLINT NOT NULL DEFAULT 1, "addedAt" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP, CONSTRAINT "Cart_pkey" PRIMARY KEY ("userId", "productId"));
CREATE TABLE "Payment" ("id" BIGSERIAL NOT NULL, "userId" INTEGER, "state" "PaymentState" NOT NULL DEFAULT 'pending', "amount" DECIMAL(12,2) NOT NULL, "provider_ref" TEXT, "payload" BYTEA, CONSTRAINT "Payment_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE UNIQUE INDEX "Profile_userId_key" ON "Profile"("userId");
CREATE UNIQUE INDEX "_CategoryToProduct_AB_unique" ON "_CategoryToProduct"("A", "B");
CREATE INDEX "_CategoryToProduct_B_index" ON "_CategoryToProduct"("B");
CREATE INDEX "product_items_title_idx" ON "product_items" USING HASH ("title");
CREATE INDEX "product_items_attributes_idx" ON "product_items" USING GIN ("attributes" jsonb_path_ops);
CREATE UNIQUE INDEX "Payment_provider_ref_key" ON "Payment"("provider_ref");
ALTER TABLE "Profile" ADD CONSTRAINT "Profile_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "Category" ADD CONSTRAINT "Category_parentId_fkey" FOREIGN KEY ("parentId") REFERENCES "Category"("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "_CategoryToProduct" ADD CONSTRAINT "_CategoryToProduct_A_fkey" FOREIGN KEY ("A") REFERENCES "Category"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "_CategoryToProduct" ADD CONSTRAINT "_CategoryToProduct_B_fkey" FOREIGN KEY ("B") REFERENCES "product_items"("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Cart" ADD CONSTRAINT "Cart_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
ALTER TABLE "Cart" ADD CONSTRAINT "Cart_productId_fkey" FOREIGN KEY ("productId") REFERENCES "product_items"("id") ON DELETE NO ACTION ON UPDATE RESTRICT;
ALTER TABLE "Payment" ADD CONSTRAINT "Payment_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE SET DEFAULT ON UPDATE SET NULL;
INSERT INTO "User" ("email", "name") SELECT 'U' || n || '@Example.org', 'User ' || n FROM generate_series(1, 12) n;
INSERT INTO "Profile" ("bio", "userId") SELECT 'it''s me \ ' || n, n FROM generate_series(1, 12) n;
INSERT INTO "Category" ("name", "parentId") SELECT 'c' || n, nullif(n / 2, 0) FROM generate_series(1, 8) n;
INSERT INTO "product_items" ("id", "title", "priceCents") SELECT md5(n::text)::uuid, 'Item ' || n, n * 99 FROM generate_series(1, 20) n;
INSERT INTO "_CategoryToProduct" SELECT 1 + n % 8, md5(n::text)::uuid FROM generate_series(1, 20) n;
INSERT INTO "Cart" ("userId", "productId") SELECT 1 + n % 12, md5(n::text)::uuid FROM generate_series(1, 20) n;
INSERT INTO "Payment" ("userId", "amount", "provider_ref", "payload") SELECT 1 + n % 12, n, 'ref' || n, '\x00ff' FROM generate_series(1, 15) n;
