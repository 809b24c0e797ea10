-- Style: a laboratory's database made with SQLAlchemy and Alembic, naming conventions pk_, uq_, fk_, ck_, ix_.
-- Exercises: alembic_version, enum types made apart, ARRAY and HSTORE columns, ltree paths with gist, server defaults
-- with functions, UniqueConstraint NULLS NOT DISTINCT, joined-table inheritance, timestamptz hypertable.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS hstore;
CREATE EXTENSION IF NOT EXISTS ltree;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
CREATE TYPE sample_state AS ENUM ('registered', 'prepared', 'measured', 'discarded');
CREATE TABLE person (id SERIAL NOT NULL, orcid VARCHAR(19), full_name TEXT NOT NULL, CONSTRAINT pk_person PRIMARY KEY (id), CONSTRAINT uq_person_orcid UNIQUE (orcid), CONSTRAINT ck_person_orcid_format CHECK (orcid ~ '^\d{4}-\d{4}-\d{4}-\d{3}[\dX]$'));
CREATE TABLE taxonomy (id SERIAL NOT NULL, path ltree NOT NULL, rank VARCHAR(20) NOT NULL, CONSTRAINT pk_taxonomy PRIMARY KEY (id), CONSTRAINT uq_taxonomy_path UNIQUE (path));
CREATE INDEX ix_taxonomy_path_gist ON taxonomy USING gist (path);
CREATE TABLE resource (id SERIAL NOT NULL, type VARCHAR(50) NOT NULL, name TEXT NOT NULL, tags hstore DEFAULT ''::hstore NOT NULL, created TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL, CONSTRAINT pk_resource PRIMARY KEY (id));
CREATE INDEX ix_resource_tags ON resource USING gin (tags);
CREATE TABLE sample (id INTEGER NOT NULL, taxon_id INTEGER, state sample_state DEFAULT 'registered' NOT NULL, mass_mg DOUBLE PRECISION, box CHAR(2), slot SMALLINT, CONSTRAINT pk_sample PRIMARY KEY (id), CONSTRAINT fk_sample_id_resource FOREIGN KEY(id) REFERENCES resource (id) ON DELETE CASCADE,
    CONSTRAINT fk_sample_taxon_id_taxonomy FOREIGN KEY(taxon_id) REFERENCES taxonomy (id), CONSTRAINT uq_sample_box UNIQUE NULLS NOT DISTINCT (box, slot), CONSTRAINT ck_sample_mass_positive CHECK (mass_mg > 0));
CREATE TABLE instrument (id INTEGER NOT NULL, model VARCHAR(80) NOT NULL, calibration DOUBLE PRECISION[] DEFAULT '{1.0,0.0}' NOT NULL, ranges numrange[] , CONSTRAINT pk_instrument PRIMARY KEY (id), CONSTRAINT fk_instrument_id_resource FOREIGN KEY(id) REFERENCES resource (id) ON DELETE CASCADE);
CREATE TABLE experiment (id BIGSERIAL NOT NULL, title TEXT NOT NULL, lead_id INTEGER NOT NULL, protocol JSONB, started TIMESTAMP WITH TIME ZONE, CONSTRAINT pk_experiment PRIMARY KEY (id), CONSTRAINT fk_experiment_lead_id_person FOREIGN KEY(lead_id) REFERENCES person (id));
CREATE TABLE experiment_sample (experiment_id BIGINT NOT NULL, sample_id INTEGER NOT NULL, role VARCHAR(10) DEFAULT 'subject', CONSTRAINT pk_experiment_sample PRIMARY KEY (experiment_id, sample_id), CONSTRAINT fk_es_experiment FOREIGN KEY(experiment_id) REFERENCES experiment (id) ON DELETE CASCADE, CONSTRAINT fk_es_sample FOREIGN KEY(sample_id) REFERENCES sample (id));
CREATE TABLE measurement (taken TIMESTAMP WITH TIME ZONE NOT NULL, experiment_id BIGINT NOT NULL, channel SMALLINT DEFAULT 0 NOT NULL, value DOUBLE PRECISION NOT NULL, error REAL, CONSTRAINT pk_measurement PRIMARY KEY (experiment_id, channel, taken));
SELECT create_hypertable('measurement', by_range('taken', INTERVAL '1 day'));
CREATE TABLE spectrum (id BIGSERIAL NOT NULL, experiment_id BIGINT NOT NULL, data BYTEA NOT NULL, wavelength int4range, CONSTRAINT pk_spectrum PRIMARY KEY (id), CONSTRAINT fk_spectrum_experiment FOREIGN KEY(experiment_id) REFERENCES experiment (id));
ALTER TABLE spectrum ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE VIEW sample_list AS SELECT s.id, r.name, subpath(t.path, -1) AS taxon, r.tags -> 'origin' AS origin FROM sample s JOIN resource r USING (id) LEFT JOIN taxonomy t ON t.id = s.taxon_id;
INSERT INTO alembic_version VALUES ('3f1a2b4c5d6e');
INSERT INTO person (orcid, full_name) SELECT '0000-0000-0000-' || lpad(n::text, 4, '0'), 'Person ' || n FROM generate_series(1, 5) n;
INSERT INTO taxonomy (path, rank) SELECT ('life.k' || n)::ltree, 'kingdom' FROM generate_series(1, 4) n;
INSERT INTO resource (type, name, tags) SELECT CASE WHEN n < 15 THEN 'sample' ELSE 'instrument' END, 'R' || n, hstore('origin', 'field ' || n) FROM generate_series(1, 18) n;
INSERT INTO sample (id, taxon_id, mass_mg, box, slot) SELECT n, 1 + n % 4, n, 'A1', n FROM generate_series(1, 14) n;
INSERT INTO instrument (id, model) SELECT n, 'M' || n FROM generate_series(15, 18) n;
INSERT INTO experiment (title, lead_id, started) SELECT 'Exp ' || n, 1 + n % 5, '2026-01-01' FROM generate_series(1, 4) n;
INSERT INTO experiment_sample SELECT 1 + n % 4, n FROM generate_series(1, 14) n;
INSERT INTO measurement SELECT '2026-01-01'::timestamptz + n * interval '15 min', 1 + n % 4, n % 2, sin(n), 0.1 FROM generate_series(1, 500) n;
ALTER TABLE measurement SET (timescaledb.compress, timescaledb.compress_segmentby = 'experiment_id, channel', timescaledb.compress_orderby = 'taken');
SELECT count(compress_chunk(c)) FROM show_chunks('measurement', older_than => '2026-01-04'::timestamptz) c;
