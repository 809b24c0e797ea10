-- change: one tenant's customers have a note
ALTER TABLE tenant_b.customers ADD COLUMN note text;
-- change: one tenant keeps more
SELECT remove_retention_policy('tenant_b.readings');
SELECT add_retention_policy('tenant_b.readings', INTERVAL '5 years');
-- change: an index in every tenant
CREATE INDEX readings_value_idx ON tenant_a.readings (value);
CREATE INDEX readings_value_idx ON tenant_b.readings (value);
CREATE INDEX readings_value_idx ON "Tenant C".readings (value);
-- change: a state of one tenant
ALTER TYPE "Tenant C".state ADD VALUE 'lost';
-- change: the view of one tenant counts
CREATE OR REPLACE VIEW tenant_a.latest AS SELECT c.name, max(r.at) AS at, count(*) AS n FROM tenant_a.customers c JOIN tenant_a.readings r ON r.customer_id = c.id GROUP BY c.name;
