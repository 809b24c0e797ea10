-- Style: a Laravel application with queues, sessions, notifications, spatie permissions and telescope-like entries.
-- Exercises: migrations table, timestamp(0), varchar(255) with enum-like checks as Laravel writes them (::text casts),
-- morph indexes, bigserial names, json columns, foreign keys named table_column_foreign, a hypertable beside it.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE migrations (id serial PRIMARY KEY, migration varchar(255) NOT NULL, batch integer NOT NULL);
CREATE TABLE users (id bigserial PRIMARY KEY, name varchar(255) NOT NULL, email varchar(255) NOT NULL, email_verified_at timestamp(0) without time zone, password varchar(255) NOT NULL, remember_token varchar(100), role varchar(255) CHECK (role::text = ANY (ARRAY['admin'::varchar, 'editor'::varchar, 'viewer'::varchar]::text[])) NOT NULL DEFAULT 'viewer',
    created_at timestamp(0) without time zone, updated_at timestamp(0) without time zone, deleted_at timestamp(0) without time zone);
ALTER TABLE users ADD CONSTRAINT users_email_unique UNIQUE (email);
CREATE TABLE password_reset_tokens (email varchar(255) NOT NULL, token varchar(255) NOT NULL, created_at timestamp(0));
ALTER TABLE password_reset_tokens ADD PRIMARY KEY (email);
CREATE TABLE sessions (id varchar(255) NOT NULL, user_id bigint, ip_address varchar(45), user_agent text, payload text NOT NULL, last_activity integer NOT NULL);
ALTER TABLE sessions ADD PRIMARY KEY (id);
CREATE INDEX sessions_user_id_index ON sessions (user_id);
CREATE INDEX sessions_last_activity_index ON sessions (last_activity);
CREATE TABLE jobs (id bigserial PRIMARY KEY, queue varchar(255) NOT NULL, payload text NOT NULL, attempts smallint NOT NULL, reserved_at integer, available_at integer NOT NULL, created_at integer NOT NULL);
CREATE INDEX jobs_queue_index ON jobs (queue);
CREATE TABLE failed_jobs (id bigserial PRIMARY KEY, uuid varchar(255) NOT NULL, connection text NOT NULL, queue text NOT NULL, payload text NOT NULL, exception text NOT NULL, failed_at timestamp(0) NOT NULL DEFAULT CURRENT_TIMESTAMP);
ALTER TABLE failed_jobs ADD CONSTRAINT failed_jobs_uuid_unique UNIQUE (uuid);
CREATE TABLE permissions (id bigserial PRIMARY KEY, name varchar(255) NOT NULL, guard_name varchar(255) NOT NULL);
ALTER TABLE permissions ADD CONSTRAINT permissions_name_guard_name_unique UNIQUE (name, guard_name);
CREATE TABLE model_has_permissions (permission_id bigint NOT NULL, model_type varchar(255) NOT NULL, model_id bigint NOT NULL);
CREATE INDEX model_has_permissions_model_id_model_type_index ON model_has_permissions (model_id, model_type);
ALTER TABLE model_has_permissions ADD CONSTRAINT model_has_permissions_permission_id_foreign FOREIGN KEY (permission_id) REFERENCES permissions (id) ON DELETE CASCADE;
ALTER TABLE model_has_permissions ADD PRIMARY KEY (permission_id, model_id, model_type);
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL, title varchar(255) NOT NULL, slug varchar(255) NOT NULL, body text NOT NULL, status varchar(255) NOT NULL DEFAULT 'draft', meta json, published_at timestamp(0), views integer NOT NULL DEFAULT '0', rating numeric(3,2), created_at timestamp(0), updated_at timestamp(0),
    CONSTRAINT posts_status_check CHECK (status IN ('draft', 'published', 'archived')));
ALTER TABLE posts ADD CONSTRAINT posts_user_id_foreign FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
CREATE UNIQUE INDEX posts_slug_unique ON posts (slug);
CREATE INDEX posts_title_body_fulltext ON posts USING gin ((to_tsvector('english', title) || to_tsvector('english', body)));
CREATE TABLE notifications (id uuid NOT NULL, type varchar(255) NOT NULL, notifiable_type varchar(255) NOT NULL, notifiable_id bigint NOT NULL, data jsonb NOT NULL, read_at timestamp(0), created_at timestamp(0));
ALTER TABLE notifications ADD PRIMARY KEY (id);
CREATE INDEX notifications_notifiable_type_notifiable_id_index ON notifications (notifiable_type, notifiable_id);
CREATE TABLE page_views (viewed_at timestamp(0) without time zone NOT NULL, post_id bigint NOT NULL, user_id bigint, ip inet, referer varchar(2048));
SELECT create_hypertable('page_views', 'viewed_at', chunk_time_interval => INTERVAL '1 week');
INSERT INTO migrations (migration, batch) SELECT '2026_01_0' || n || '_create', 1 FROM generate_series(1, 9) n;
INSERT INTO users (name, email, password, created_at) SELECT 'User ' || n, n || '@example.org', md5('x'), '2026-01-01' FROM generate_series(1, 10) n;
INSERT INTO posts (user_id, title, slug, body, status) SELECT 1 + n % 10, 'Title ' || n, 's' || n, 'body', 'published' FROM generate_series(1, 30) n;
INSERT INTO permissions (name, guard_name) VALUES ('edit', 'web'), ('view', 'web');
INSERT INTO model_has_permissions SELECT 1, 'App\Models\User', n FROM generate_series(1, 5) n;
INSERT INTO notifications SELECT md5(n::text)::uuid, 'App\Notifications\Paid', 'App\Models\User', n, '{}', NULL, '2026-01-01' FROM generate_series(1, 10) n;
INSERT INTO page_views SELECT '2026-01-01'::timestamp + n * interval '2 hours', 1 + n % 30, NULL, '192.0.2.1', NULL FROM generate_series(1, 250) n;
ALTER TABLE page_views SET (timescaledb.compress, timescaledb.compress_segmentby = 'post_id', timescaledb.compress_orderby = 'viewed_at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('page_views', older_than => '2026-01-15'::timestamp) c;
SELECT add_retention_policy('page_views', INTERVAL '13 months');
