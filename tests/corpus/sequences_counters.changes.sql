-- change: the number range is larger
ALTER SEQUENCE app.document_no MAXVALUE 9999999 NO CYCLE;
-- change: a serial grows
ALTER TABLE app.medium ALTER COLUMN id TYPE bigint;
ALTER SEQUENCE app.medium_id_seq AS bigint;
-- change: a sequence for offers alone
CREATE SEQUENCE app.offer_no START 500;
ALTER TABLE app.offers ALTER COLUMN no SET DEFAULT nextval('app.offer_no');
-- change: identity for counters
ALTER TABLE app.counters ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY;
-- change: identity skips more
ALTER TABLE app.by_default ALTER COLUMN id SET INCREMENT BY 50;
