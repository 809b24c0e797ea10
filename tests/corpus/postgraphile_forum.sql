-- Style: a forum behind PostGraphile: three schemas (public, hidden, private), smart comments, composite types, roles.
-- Exercises: composite type as result, COMMENT with @omit tags, functions named table_field, SECURITY DEFINER login,
-- STRICT, row security by setting, grants on functions and columns, REVOKE from public, domain with regex, revoke default.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS citext;
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['forum_visitor', 'forum_person'] LOOP
    BEGIN EXECUTE format('CREATE ROLE %I NOLOGIN', r); EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END; END LOOP; END $$;
CREATE SCHEMA app_public; CREATE SCHEMA app_private; CREATE SCHEMA app_hidden;
GRANT USAGE ON SCHEMA app_public TO forum_visitor, forum_person;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE DOMAIN app_public.email AS citext CONSTRAINT email_check CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');
CREATE TYPE app_public.post_topic AS ENUM ('discussion', 'inspiration', 'help', 'showcase');
CREATE TYPE app_public.jwt_token AS (role text, person_id integer, exp bigint);
COMMENT ON TYPE app_public.jwt_token IS E'@jwt\nWho somebody is, and until when';
CREATE TABLE app_public.person (id serial PRIMARY KEY, first_name text NOT NULL CHECK (char_length(first_name) < 80), last_name text CHECK (char_length(last_name) < 80), about text, created_at timestamp DEFAULT now());
COMMENT ON COLUMN app_public.person.about IS E'@omit create\nA short text';
CREATE TABLE app_public.post (id serial PRIMARY KEY, author_id integer NOT NULL REFERENCES app_public.person (id), headline text NOT NULL CHECK (char_length(headline) < 280), body text, topic app_public.post_topic, created_at timestamp DEFAULT now());
COMMENT ON CONSTRAINT post_author_id_fkey ON app_public.post IS E'@foreignFieldName posts';
CREATE INDEX ON app_public.post (author_id);
CREATE TABLE app_private.person_account (person_id integer PRIMARY KEY REFERENCES app_public.person (id) ON DELETE CASCADE, email app_public.email NOT NULL UNIQUE, password_hash text NOT NULL);
CREATE TABLE app_hidden.visits (at timestamptz NOT NULL, person_id integer, path text NOT NULL);
SELECT create_hypertable('app_hidden.visits', 'at');
CREATE FUNCTION app_public.person_full_name(person app_public.person) RETURNS text LANGUAGE sql STABLE AS $$ SELECT person.first_name || ' ' || person.last_name $$;
COMMENT ON FUNCTION app_public.person_full_name(app_public.person) IS 'A person''s full name';
CREATE FUNCTION app_public.post_summary(post app_public.post, length int DEFAULT 50, omission text DEFAULT '…') RETURNS text LANGUAGE sql STABLE AS $$ SELECT CASE WHEN post.body IS NULL THEN NULL ELSE substr(post.body, 0, length) || omission END $$;
CREATE FUNCTION app_public.search_posts(search text) RETURNS SETOF app_public.post LANGUAGE sql STABLE ROWS 100 AS $$ SELECT post.* FROM app_public.post AS post WHERE position(search IN post.headline) > 0 $$;
CREATE FUNCTION app_public.authenticate(email text, password text) RETURNS app_public.jwt_token LANGUAGE plpgsql STRICT SECURITY DEFINER AS $$
DECLARE account app_private.person_account;
BEGIN
    SELECT a.* INTO account FROM app_private.person_account AS a WHERE a.email = $1;
    IF account.password_hash = crypt(password, account.password_hash) THEN
        RETURN ('forum_person', account.person_id, extract(epoch FROM now() + interval '2 days'))::app_public.jwt_token;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION app_public.current_person_id() RETURNS integer LANGUAGE sql STABLE LEAKPROOF AS $$ SELECT nullif(current_setting('jwt.claims.person_id', true), '')::integer $$;
GRANT EXECUTE ON FUNCTION app_public.person_full_name(app_public.person), app_public.search_posts(text) TO forum_visitor, forum_person;
GRANT SELECT ON app_public.person, app_public.post TO forum_visitor, forum_person;
GRANT UPDATE (headline, body), DELETE ON app_public.post TO forum_person;
GRANT USAGE ON SEQUENCE app_public.post_id_seq TO forum_person;
ALTER TABLE app_public.post ENABLE ROW LEVEL SECURITY;
CREATE POLICY select_post ON app_public.post FOR SELECT USING (true);
CREATE POLICY update_post ON app_public.post FOR UPDATE TO forum_person USING (author_id = app_public.current_person_id());
INSERT INTO app_public.person (first_name, last_name) SELECT 'F' || n, 'L' || n FROM generate_series(1, 10) n;
INSERT INTO app_public.post (author_id, headline, topic) SELECT 1 + n % 10, 'Headline ' || n, 'help' FROM generate_series(1, 40) n;
INSERT INTO app_private.person_account SELECT n, 'P' || n || '@example.org', 'x' FROM generate_series(1, 10) n;
INSERT INTO app_hidden.visits SELECT '2026-01-01'::timestamptz + n * interval '3 hours', 1 + n % 10, '/' || n FROM generate_series(1, 150) n;
