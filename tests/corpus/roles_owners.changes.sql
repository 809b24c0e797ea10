-- change: customers have a manager
ALTER TABLE crm.customers ADD COLUMN manager name;
-- change: the application may delete
GRANT DELETE ON crm.customers TO corpus_app;
-- change: the report's view shows more
CREATE OR REPLACE VIEW reporting.customers AS SELECT id, name, stage, no FROM crm.customers;
-- change: a table of the owner's
CREATE TABLE crm.notes (id bigserial PRIMARY KEY, customer_id bigint NOT NULL REFERENCES crm.customers, text text);
ALTER TABLE crm.notes OWNER TO corpus_owner;
-- change: the aggregate belongs to the administrator
REVOKE SELECT ON reporting.calls_daily FROM corpus_report;
