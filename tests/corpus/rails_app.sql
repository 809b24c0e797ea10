-- Style: a Rails application's structure.sql: ar_internal_metadata, active storage, devise, audits.
-- Exercises: sequences written apart with OWNED BY, timestamp(6), character varying without length, check constraints
-- named chk_rails_*, foreign keys fk_rails_*, index names of Rails, citext-like lower indexes, functional uniqueness, pgcrypto.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;
CREATE TABLE public.ar_internal_metadata (key character varying NOT NULL, value character varying, created_at timestamp(6) without time zone NOT NULL, updated_at timestamp(6) without time zone NOT NULL);
CREATE TABLE public.schema_migrations (version character varying NOT NULL);
CREATE TABLE public.accounts (id bigint NOT NULL, subdomain character varying NOT NULL, plan integer DEFAULT 0 NOT NULL, settings jsonb DEFAULT '{}'::jsonb NOT NULL, api_key_digest bytea DEFAULT public.digest('seed'::text, 'sha256'::text), created_at timestamp(6) without time zone NOT NULL, updated_at timestamp(6) without time zone NOT NULL);
CREATE SEQUENCE public.accounts_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.accounts_id_seq OWNED BY public.accounts.id;
ALTER TABLE ONLY public.accounts ALTER COLUMN id SET DEFAULT nextval('public.accounts_id_seq'::regclass);
CREATE TABLE public.users (id bigint NOT NULL, account_id bigint NOT NULL, email character varying DEFAULT ''::character varying NOT NULL, encrypted_password character varying DEFAULT ''::character varying NOT NULL, reset_password_token character varying, sign_in_count integer DEFAULT 0 NOT NULL, current_sign_in_ip inet, locale character varying(5) DEFAULT 'en'::character varying, created_at timestamp(6) without time zone NOT NULL, CONSTRAINT chk_rails_0a1b2c3d4e CHECK ((sign_in_count >= 0)));
CREATE SEQUENCE public.users_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1;
ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;
ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);
CREATE TABLE public.active_storage_blobs (id bigserial PRIMARY KEY, key character varying NOT NULL, filename character varying NOT NULL, content_type character varying, metadata text, service_name character varying NOT NULL, byte_size bigint NOT NULL, checksum character varying, created_at timestamp(6) NOT NULL);
CREATE TABLE public.active_storage_attachments (id bigserial PRIMARY KEY, name character varying NOT NULL, record_type character varying NOT NULL, record_id bigint NOT NULL, blob_id bigint NOT NULL, created_at timestamp(6) NOT NULL);
CREATE TABLE public.projects (id uuid DEFAULT gen_random_uuid() NOT NULL, account_id bigint NOT NULL, name character varying NOT NULL, state character varying DEFAULT 'active'::character varying NOT NULL, due_on date, budget numeric(10,2), search tsvector, "position" integer DEFAULT 0 NOT NULL,
    CONSTRAINT chk_rails_state CHECK (state IN ('active', 'paused', 'done')));
CREATE TABLE public.metrics (project_id uuid NOT NULL, recorded_at timestamp(6) without time zone NOT NULL, name character varying NOT NULL, value double precision);
ALTER TABLE ONLY public.ar_internal_metadata ADD CONSTRAINT ar_internal_metadata_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.schema_migrations ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.projects ADD CONSTRAINT projects_pkey PRIMARY KEY (id);
CREATE UNIQUE INDEX index_accounts_on_lower_subdomain ON public.accounts USING btree (lower((subdomain)::text));
CREATE UNIQUE INDEX index_users_on_account_id_and_email ON public.users USING btree (account_id, email);
CREATE UNIQUE INDEX index_users_on_reset_password_token ON public.users USING btree (reset_password_token) NULLS NOT DISTINCT WHERE (reset_password_token IS NOT NULL);
CREATE UNIQUE INDEX index_active_storage_attachments_uniqueness ON public.active_storage_attachments USING btree (record_type, record_id, name, blob_id);
CREATE INDEX index_projects_on_search ON public.projects USING gin (search);
CREATE INDEX index_projects_on_position ON public.projects USING btree (account_id, "position" DESC NULLS LAST);
ALTER TABLE ONLY public.users ADD CONSTRAINT fk_rails_61ac11da2b FOREIGN KEY (account_id) REFERENCES public.accounts(id);
ALTER TABLE ONLY public.projects ADD CONSTRAINT fk_rails_f5b5a8d3ec FOREIGN KEY (account_id) REFERENCES public.accounts(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.active_storage_attachments ADD CONSTRAINT fk_rails_c3b3935057 FOREIGN KEY (blob_id) REFERENCES public.active_storage_blobs(id);
CREATE TRIGGER projects_search_update BEFORE INSERT OR UPDATE OF name ON public.projects FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger('search', 'pg_catalog.english', 'name');
SELECT public.create_hypertable('public.metrics', 'recorded_at', chunk_time_interval => INTERVAL '7 days', create_default_indexes => false);
CREATE INDEX index_metrics_on_project_id_and_recorded_at ON public.metrics USING btree (project_id, recorded_at DESC);
INSERT INTO accounts (subdomain, created_at, updated_at) SELECT 'acme' || n, '2026-01-01', '2026-01-01' FROM generate_series(1, 4) n;
INSERT INTO users (account_id, email, created_at) SELECT 1 + n % 4, n || '@example.org', '2026-01-01' FROM generate_series(1, 12) n;
INSERT INTO projects (id, account_id, name) SELECT md5(n::text)::uuid, 1 + n % 4, 'Project ' || n FROM generate_series(1, 8) n;
INSERT INTO metrics SELECT md5((1 + n % 8)::text)::uuid, '2026-01-01'::timestamp + n * interval '1 hour', 'visits', n FROM generate_series(1, 400) n;
ALTER TABLE metrics SET (timescaledb.compress, timescaledb.compress_segmentby = 'project_id, name', timescaledb.compress_orderby = 'recorded_at DESC');
SELECT count(compress_chunk(c)) FROM show_chunks('metrics', older_than => '2026-01-10'::timestamp) c;
SELECT add_compression_policy('metrics', INTERVAL '7 days'), add_retention_policy('metrics', INTERVAL '12 months');
INSERT INTO schema_migrations (version) VALUES ('20260101000000'), ('20260102000000');
