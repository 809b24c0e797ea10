-- change: 006_metadata.up.sql
ALTER TABLE jobs ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
-- change: 007_priority.up.sql
ALTER TABLE jobs DROP CONSTRAINT priority_in_range;
ALTER TABLE jobs ADD CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 9);
-- change: 008_attempts.up.sql
ALTER TABLE jobs ALTER COLUMN attempt TYPE integer, ALTER COLUMN max_attempts SET DEFAULT 10;
-- change: 009_notify_all.up.sql
DROP TRIGGER job_notify ON jobs;
CREATE TRIGGER job_notify AFTER INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION job_notify('river_insert', 'it''s');
-- change: 010_drop_hash.up.sql
DROP INDEX jobs_args_md5;
CREATE INDEX jobs_finished_idx ON jobs (finished_at) WHERE finished_at IS NOT NULL;
