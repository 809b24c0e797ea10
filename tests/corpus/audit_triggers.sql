-- Style: a business database with a generic audit trail written by triggers.
-- Exercises: trigger functions with TG_ARGV and dynamic SQL, ENABLE ALWAYS and REPLICA and DISABLED triggers, hypertable
-- as audit log with hstore, a function that installs triggers, event-like log views, INSTEAD OF triggers, rules.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE SCHEMA audit; REVOKE ALL ON SCHEMA audit FROM public;
COMMENT ON SCHEMA audit IS 'Out-of-table audit/history logging tables and trigger functions';
CREATE TABLE audit.logged_actions (event_id bigserial NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, relid oid NOT NULL, session_user_name text, action_tstamp_tx timestamptz NOT NULL, transaction_id bigint, client_addr inet, action text NOT NULL CHECK (action IN ('I', 'D', 'U', 'T')), row_data hstore, changed_fields hstore, statement_only boolean NOT NULL DEFAULT false, PRIMARY KEY (event_id, action_tstamp_tx));
SELECT create_hypertable('audit.logged_actions', 'action_tstamp_tx', chunk_time_interval => INTERVAL '1 month');
CREATE INDEX logged_actions_relid_idx ON audit.logged_actions (relid);
CREATE INDEX logged_actions_action_idx ON audit.logged_actions (action) WHERE action <> 'I';
COMMENT ON COLUMN audit.logged_actions.row_data IS 'Record value. Null for statement-level trigger. For INSERT this is the new tuple.';
CREATE TABLE employees (id serial PRIMARY KEY, name text NOT NULL, salary numeric(12,2) NOT NULL DEFAULT 0, boss_id int REFERENCES employees, valid_from timestamptz NOT NULL DEFAULT '2026-01-01', valid_to timestamptz NOT NULL DEFAULT 'infinity');
CREATE TABLE contracts (no text PRIMARY KEY, employee_id int NOT NULL REFERENCES employees ON DELETE CASCADE, signed date, file_oid oid);
CREATE TABLE employees_history (LIKE employees);
CREATE FUNCTION audit.if_modified_func() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $body$
DECLARE
    excluded text[] = ARRAY[]::text[];
    h_old hstore; h_new hstore;
BEGIN
    IF TG_WHEN <> 'AFTER' THEN RAISE EXCEPTION 'audit.if_modified_func() may only run as an AFTER trigger'; END IF;
    IF TG_ARGV[1] IS NOT NULL THEN excluded = TG_ARGV[1]::text[]; END IF;
    IF TG_LEVEL = 'ROW' AND TG_OP <> 'INSERT' THEN h_old = hstore(OLD.*) - excluded; END IF;
    IF TG_LEVEL = 'ROW' AND TG_OP <> 'DELETE' THEN h_new = hstore(NEW.*) - excluded; END IF;
    INSERT INTO audit.logged_actions (schema_name, table_name, relid, session_user_name, action_tstamp_tx, action, row_data, changed_fields, statement_only)
    VALUES (TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_RELID, session_user, '2026-01-05 00:00+00', substring(TG_OP, 1, 1), coalesce(h_old, h_new), h_new - h_old, TG_LEVEL = 'STATEMENT');
    RETURN NULL;
END;
$body$;
COMMENT ON FUNCTION audit.if_modified_func() IS $$Track changes to a table; it's "generic"$$;
CREATE TRIGGER audit_trigger_row AFTER INSERT OR DELETE OR UPDATE ON employees FOR EACH ROW EXECUTE FUNCTION audit.if_modified_func('true', '{updated_at}');
CREATE TRIGGER audit_trigger_stm AFTER TRUNCATE ON employees FOR EACH STATEMENT EXECUTE FUNCTION audit.if_modified_func('true');
CREATE TRIGGER audit_trigger_row AFTER INSERT OR DELETE OR UPDATE OF signed, file_oid ON contracts FOR EACH ROW EXECUTE FUNCTION audit.if_modified_func('false');
CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO employees_history SELECT (OLD).*; RETURN NEW; END $$;
CREATE TRIGGER employees_history BEFORE UPDATE OF salary ON employees FOR EACH ROW WHEN (OLD.salary IS DISTINCT FROM NEW.salary) EXECUTE FUNCTION keep_history();
ALTER TABLE employees ENABLE ALWAYS TRIGGER audit_trigger_row;
ALTER TABLE employees ENABLE REPLICA TRIGGER audit_trigger_stm;
ALTER TABLE contracts DISABLE TRIGGER audit_trigger_row;
CREATE VIEW current_employees AS SELECT id, name, salary FROM employees WHERE valid_to = 'infinity';
ALTER VIEW current_employees ALTER COLUMN salary SET DEFAULT 1000;
CREATE FUNCTION current_employees_ins() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO employees (name, salary) VALUES (NEW.name, NEW.salary); RETURN NEW; END $$;
CREATE TRIGGER current_employees_ins INSTEAD OF INSERT ON current_employees FOR EACH ROW EXECUTE FUNCTION current_employees_ins();
CREATE VIEW employee_names AS SELECT id, name FROM employees;
CREATE RULE employee_names_del AS ON DELETE TO employee_names DO INSTEAD UPDATE employees SET valid_to = now() WHERE id = OLD.id;
INSERT INTO employees (name, salary) SELECT 'E' || n, 1000 + n FROM generate_series(1, 15) n;
UPDATE employees SET salary = salary + 100 WHERE id % 3 = 0;
INSERT INTO contracts SELECT 'C' || n, n, '2026-01-01' FROM generate_series(1, 10) n;
INSERT INTO current_employees (name) VALUES ('by view');
ALTER TABLE audit.logged_actions SET (timescaledb.compress, timescaledb.compress_segmentby = 'table_name', timescaledb.compress_orderby = 'action_tstamp_tx DESC, event_id DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('audit.logged_actions') c;
SELECT add_retention_policy('audit.logged_actions', INTERVAL '7 years');
