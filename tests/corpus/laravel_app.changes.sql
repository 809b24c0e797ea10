-- change: two factor columns after the password
ALTER TABLE users ADD COLUMN two_factor_secret text, ADD COLUMN two_factor_recovery_codes text;
-- change: a status
ALTER TABLE posts DROP CONSTRAINT posts_status_check;
ALTER TABLE posts ADD CONSTRAINT posts_status_check CHECK (status IN ('draft', 'review', 'published', 'archived'));
-- change: $table->unsignedBigInteger('views')->change()
ALTER TABLE posts ALTER COLUMN views TYPE bigint;
-- change: job batches
CREATE TABLE job_batches (id varchar(255) NOT NULL, name varchar(255) NOT NULL, total_jobs integer NOT NULL, options text, created_at integer NOT NULL);
ALTER TABLE job_batches ADD PRIMARY KEY (id);
-- change: views are compressed by themselves
SELECT add_compression_policy('page_views', INTERVAL '30 days');
