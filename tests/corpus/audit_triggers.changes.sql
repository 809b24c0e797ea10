-- change: employees have a mail address
ALTER TABLE employees ADD COLUMN email text UNIQUE;
-- change: salaries grow
ALTER TABLE employees_history ALTER COLUMN salary TYPE numeric(14,2);
-- change: contracts are audited again
ALTER TABLE contracts ENABLE TRIGGER audit_trigger_row;
-- change: only whom it concerns
CREATE OR REPLACE VIEW employee_names AS SELECT id, name, boss_id FROM employees;
-- change: deletions are kept by application, too
ALTER TABLE audit.logged_actions ADD COLUMN application_name text;
CREATE INDEX logged_actions_table_idx ON audit.logged_actions (table_name, action_tstamp_tx DESC);
