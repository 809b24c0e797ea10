-- change: percent may exceed a hundred
ALTER DOMAIN types.percent DROP CONSTRAINT percent_high;
ALTER DOMAIN types.percent ADD CONSTRAINT percent_high CHECK (VALUE <= 200);
-- change: addresses have a country
ALTER TYPE types.address ADD ATTRIBUTE country char(2);
-- change: customers have a second mail
ALTER TABLE customers ADD COLUMN billing types.email, ADD COLUMN limits types.money_amount;
-- change: a colour
ALTER TYPE types.color ADD VALUE 'black' BEFORE 'red';
-- change: invoices are shown with their number
CREATE OR REPLACE FUNCTION types.money_text(m types.money_amount) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT m.currency || ' ' || m.amount $$;
