-- change: add_reference :projects, :owner
ALTER TABLE projects ADD owner_id bigint;
CREATE INDEX index_projects_on_owner_id ON projects (owner_id);
ALTER TABLE projects ADD CONSTRAINT fk_rails_219ef9bf7d FOREIGN KEY (owner_id) REFERENCES users (id);
-- change: change_column_null
UPDATE users SET locale = 'en' WHERE locale IS NULL;
ALTER TABLE users ALTER COLUMN locale SET NOT NULL;
-- change: change_column :projects, :budget
ALTER TABLE projects ALTER COLUMN budget TYPE numeric(14,2);
-- change: remove_check_constraint, add_check_constraint
ALTER TABLE projects DROP CONSTRAINT chk_rails_state;
ALTER TABLE projects ADD CONSTRAINT chk_rails_state CHECK (state IN ('active', 'paused', 'done', 'cancelled'));
-- change: metrics are kept longer
SELECT remove_retention_policy('metrics');
SELECT add_retention_policy('metrics', INTERVAL '24 months');
