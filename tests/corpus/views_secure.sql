-- Style: a hospital's patient data behind views: row filters, masked columns, updatable views.
-- Exercises: security_barrier, security_invoker, check options, view column defaults and comments, INSTEAD OF triggers,
-- recursive view, views on views three deep, materialized view on a secure view, grants on view columns, quoted aliases.
CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['corpus_nurse', 'corpus_doctor'] LOOP
    BEGIN EXECUTE format('CREATE ROLE %I NOLOGIN', r); EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END; END LOOP; END $$;
CREATE SCHEMA clinic; CREATE SCHEMA api;
CREATE TABLE clinic.wards (id int PRIMARY KEY, name varchar(40) NOT NULL, parent_id int REFERENCES clinic.wards);
CREATE TABLE clinic.patients (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ward_id int REFERENCES clinic.wards, full_name text NOT NULL, born date, social_no varchar(12), attending name NOT NULL DEFAULT current_user, state varchar(10) NOT NULL DEFAULT 'in');
CREATE TABLE clinic.vitals (at timestamptz NOT NULL, patient_id bigint NOT NULL REFERENCES clinic.patients, kind varchar(12) NOT NULL, value real NOT NULL, CONSTRAINT vitals_kind CHECK (kind IN ('pulse', 'spo2', 'temp', 'bp_sys')), PRIMARY KEY (patient_id, kind, at));
SELECT create_hypertable('clinic.vitals', 'at', chunk_time_interval => INTERVAL '1 day');
CREATE VIEW api.my_patients WITH (security_barrier) AS SELECT id, full_name, ward_id FROM clinic.patients WHERE attending = current_user;
CREATE VIEW api.patients_in WITH (security_barrier = true, check_option = cascaded) AS SELECT id, full_name, state, ward_id FROM clinic.patients WHERE state IN ('in', 'visit');
CREATE VIEW api.patients_local AS SELECT id, full_name, state FROM clinic.patients WHERE state = 'in' WITH LOCAL CHECK OPTION;
ALTER VIEW api.patients_in ALTER COLUMN state SET DEFAULT 'in';
CREATE VIEW api.vitals WITH (security_invoker = true) AS SELECT v.at, v.kind, v.value, p.full_name AS "patient's name" FROM clinic.vitals v JOIN clinic.patients p ON p.id = v.patient_id;
CREATE VIEW api.masked AS SELECT id, left(full_name, 1) || '***' AS "Name", NULL::varchar(12) AS social_no, extract(year FROM born)::int AS born_year FROM clinic.patients;
COMMENT ON VIEW api.masked IS 'For statistics'; COMMENT ON COLUMN api.masked."Name" IS 'First letter alone';
CREATE RECURSIVE VIEW api.ward_paths (id, path) AS SELECT id, name::text FROM clinic.wards WHERE parent_id IS NULL UNION ALL SELECT w.id, p.path || '/' || w.name FROM clinic.wards w JOIN ward_paths p ON w.parent_id = p.id;
CREATE VIEW api.ward_counts AS SELECT p.path, count(m.id) AS patients FROM api.ward_paths p LEFT JOIN api.patients_in m ON m.ward_id = p.id GROUP BY p.path;
CREATE VIEW api.full_wards AS SELECT path FROM api.ward_counts WHERE patients > 3;
CREATE VIEW api.latest AS SELECT DISTINCT ON (patient_id, kind) patient_id, kind, at, value FROM clinic.vitals ORDER BY patient_id, kind, at DESC;
CREATE FUNCTION api.latest_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO clinic.vitals VALUES (NEW.at, NEW.patient_id, NEW.kind, NEW.value); RETURN NEW; END $$;
CREATE TRIGGER latest_write INSTEAD OF INSERT OR UPDATE ON api.latest FOR EACH ROW EXECUTE FUNCTION api.latest_write();
CREATE MATERIALIZED VIEW api.census AS SELECT path, patients, now()::date AS taken FROM api.ward_counts;
GRANT USAGE ON SCHEMA api TO corpus_nurse, corpus_doctor;
GRANT SELECT, INSERT ON api.my_patients, api.patients_in TO corpus_doctor;
GRANT SELECT (id, full_name) ON api.patients_in TO corpus_nurse;
INSERT INTO clinic.wards VALUES (1, 'Main', NULL), (2, 'Surgery', 1), (3, 'ICU', 2);
INSERT INTO clinic.patients (ward_id, full_name, born) SELECT 1 + n % 3, 'Patient ' || n, '1950-01-01'::date + n * 100 FROM generate_series(1, 20) n;
INSERT INTO clinic.vitals SELECT '2026-01-01'::timestamptz + n * interval '10 min', 1 + n % 20, 'pulse', 60 + n % 40 FROM generate_series(1, 300) n;
REFRESH MATERIALIZED VIEW api.census;
ALTER TABLE clinic.vitals SET (timescaledb.compress, timescaledb.compress_segmentby = 'patient_id, kind', timescaledb.compress_orderby = 'at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('clinic.vitals', older_than => '2026-01-02'::timestamptz) c;
