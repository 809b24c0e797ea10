-- Style: a job queue written for golang-migrate: schema_migrations with dirty flag, small plain tables, notify triggers.
-- Exercises: trigger with arguments and WHEN, statement trigger with transition tables, advisory-lock function, partial
-- and expression indexes, text with CHECK length, bytea payload, fillfactor and autovacuum options.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL);
CREATE TYPE job_status AS ENUM ('queued', 'active', 'done', 'failed');
CREATE TABLE queues (name text PRIMARY KEY CHECK (char_length(name) <= 63), paused_at timestamptz, max_workers integer NOT NULL DEFAULT 10, metadata jsonb NOT NULL DEFAULT '{}' ::jsonb);
CREATE TABLE jobs (id bigserial PRIMARY KEY, queue text NOT NULL DEFAULT 'default' REFERENCES queues (name), kind text NOT NULL, args bytea, status job_status NOT NULL DEFAULT 'queued', attempt smallint NOT NULL DEFAULT 0, max_attempts smallint NOT NULL DEFAULT 25,
    priority smallint NOT NULL DEFAULT 1, scheduled_at timestamptz NOT NULL DEFAULT NOW(), finished_at timestamptz, errors jsonb[], tags varchar(255)[] NOT NULL DEFAULT '{}', unique_key bytea,
    CONSTRAINT finalized_or_finalized_at_null CHECK ((finished_at IS NULL AND status NOT IN ('done', 'failed')) OR (finished_at IS NOT NULL AND status IN ('done', 'failed'))),
    CONSTRAINT priority_in_range CHECK (priority >= 1 AND priority <= 4)) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX jobs_prioritized_fetching_index ON jobs USING btree (status, queue, priority, scheduled_at, id);
CREATE UNIQUE INDEX jobs_unique_idx ON jobs (unique_key) WHERE unique_key IS NOT NULL AND status = 'queued';
CREATE INDEX jobs_args_md5 ON jobs (md5(encode(args, 'hex')));
CREATE INDEX jobs_tags_idx ON jobs USING gin (tags);
CREATE UNLOGGED TABLE leaders (name text PRIMARY KEY DEFAULT 'default', leader_id text NOT NULL, elected_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, CONSTRAINT only_one CHECK (name = 'default'));
CREATE TABLE job_counts (day date NOT NULL, queue text NOT NULL, inserted bigint NOT NULL DEFAULT 0, PRIMARY KEY (day, queue));
CREATE FUNCTION job_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], json_build_object('queue', NEW.queue)::text);
    RETURN NULL;
END;
$$;
CREATE TRIGGER job_notify AFTER INSERT ON jobs FOR EACH ROW WHEN (NEW.status = 'queued') EXECUTE FUNCTION job_notify('river_insert', 'it''s');
CREATE FUNCTION count_jobs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO job_counts SELECT current_date, queue, count(*) FROM fresh GROUP BY queue ON CONFLICT (day, queue) DO UPDATE SET inserted = job_counts.inserted + EXCLUDED.inserted;
    RETURN NULL;
END;
$$;
CREATE TRIGGER jobs_counted AFTER INSERT ON jobs REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION count_jobs();
CREATE FUNCTION try_lead(key text, VARIADIC names text[] DEFAULT '{}') RETURNS boolean LANGUAGE sql VOLATILE PARALLEL RESTRICTED AS $$ SELECT pg_try_advisory_xact_lock(hashtext(key)) $$;
INSERT INTO schema_migrations VALUES (5, false);
INSERT INTO queues (name) VALUES ('default'), ('mail'), ('slow');
INSERT INTO jobs (queue, kind, args, tags) SELECT (ARRAY['default', 'mail', 'slow'])[1 + n % 3], 'kind' || n % 4, convert_to('{}', 'UTF8'), ARRAY['t' || n % 5] FROM generate_series(1, 120) n;
UPDATE jobs SET status = 'done', finished_at = '2026-01-02' WHERE id % 3 = 0;
