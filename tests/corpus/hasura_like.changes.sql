-- change: items say what is in them
ALTER TABLE item ADD COLUMN allergens text[] NOT NULL DEFAULT '{}';
-- change: a status table's comment is required
UPDATE order_status SET comment = '' WHERE comment IS NULL;
ALTER TABLE order_status ALTER COLUMN comment SET NOT NULL;
-- change: the full name is in upper case
CREATE OR REPLACE FUNCTION customer_full_name(customer_row customer) RETURNS text LANGUAGE sql STABLE AS $$ SELECT upper(customer_row.first_name || ' ' || coalesce(customer_row.last_name, '')) $$;
-- change: items are touched, too
CREATE TRIGGER set_item_updated_at BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION set_current_timestamp_updated_at();
-- change: orders by the day
CREATE INDEX order_placed_idx ON "order" (placed DESC) INCLUDE (status);
