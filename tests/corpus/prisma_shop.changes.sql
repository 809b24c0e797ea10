-- change: soft deletion
ALTER TABLE "User" ADD COLUMN "deletedAt" TIMESTAMP(3);
CREATE INDEX "User_deletedAt_idx" ON "User"("deletedAt");
-- change: prices grow
ALTER TABLE "product_items" ALTER COLUMN "priceCents" SET DATA TYPE BIGINT;
-- change: names are required
UPDATE "User" SET "name" = '' WHERE "name" IS NULL;
ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL, ALTER COLUMN "name" SET DEFAULT '';
-- change: wish lists
CREATE TABLE "WishList" ("id" SERIAL NOT NULL, "userId" INTEGER NOT NULL, "title" TEXT NOT NULL, CONSTRAINT "WishList_pkey" PRIMARY KEY ("id"));
ALTER TABLE "WishList" ADD CONSTRAINT "WishList_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;
-- change: the relation table gets a primary key, as newer Prisma has it
DROP INDEX "_CategoryToProduct_AB_unique";
ALTER TABLE "_CategoryToProduct" ADD CONSTRAINT "_CategoryToProduct_AB_pkey" PRIMARY KEY ("A", "B");
