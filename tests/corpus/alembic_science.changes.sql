-- change: op.add_column('experiment', finished)
ALTER TABLE experiment ADD COLUMN finished TIMESTAMP WITH TIME ZONE;
-- change: op.alter_column('person', 'full_name')
ALTER TABLE person ALTER COLUMN full_name TYPE VARCHAR(300);
-- change: op.execute ALTER TYPE
ALTER TYPE sample_state ADD VALUE 'archived';
-- change: op.create_unique_constraint and create_index
ALTER TABLE sample DROP CONSTRAINT uq_sample_box;
ALTER TABLE sample ADD CONSTRAINT uq_sample_box UNIQUE NULLS NOT DISTINCT (box, slot, state);
CREATE INDEX ix_experiment_started ON experiment (started DESC NULLS LAST);
-- change: measurements carry a flag with a default
ALTER TABLE measurement ADD COLUMN flags SMALLINT DEFAULT 0 NOT NULL;
