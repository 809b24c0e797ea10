-- change: @Column pinned
ALTER TABLE "message" ADD "pinned" boolean NOT NULL DEFAULT false;
-- change: an enum of TypeORM is made anew
ALTER TYPE "public"."channel_kind_enum" ADD VALUE 'stage';
-- change: longer locales
ALTER TABLE "settings" ALTER COLUMN "locale" TYPE character varying(12);
-- change: cascade instead of no action
ALTER TABLE "channel" DROP CONSTRAINT "FK_channel_parent";
ALTER TABLE "channel" ADD CONSTRAINT "FK_channel_parent" FOREIGN KEY ("parentId") REFERENCES "channel"("id") ON DELETE CASCADE ON UPDATE NO ACTION;
-- change: the view is made anew with another column
DROP VIEW "active_user";
CREATE VIEW "active_user" AS SELECT "u"."id", "u"."userName", "u"."isBot", COUNT("m"."id") AS "messages" FROM "user" "u" LEFT JOIN "message" "m" ON "m"."authorId" = "u"."id" WHERE "u"."deletedAt" IS NULL GROUP BY "u"."id";
