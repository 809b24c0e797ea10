-- Style: a hosted backend: auth schema, storage schema, extensions in a schema of their own, row security everywhere.
-- Exercises: extensions schema, roles anon/authenticated/service, grants, default privileges, policies for commands and
-- roles that refer to other tables and to each other, SECURITY DEFINER trigger across schemas, realtime publication.
CREATE EXTENSION IF NOT EXISTS timescaledb;
DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['corpus_anon', 'corpus_authenticated', 'corpus_service'] LOOP
    BEGIN EXECUTE format('CREATE ROLE %I NOLOGIN', r); EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END; END LOOP; END $$;
CREATE SCHEMA extensions; CREATE SCHEMA auth; CREATE SCHEMA storage;
CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA extensions;
CREATE EXTENSION IF NOT EXISTS citext SCHEMA extensions;
GRANT USAGE ON SCHEMA public, auth, extensions TO corpus_anon, corpus_authenticated, corpus_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO corpus_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO corpus_anon, corpus_authenticated;
CREATE TABLE auth.users (id uuid NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(), email extensions.citext UNIQUE, encrypted_password varchar(255), raw_user_meta_data jsonb, is_sso_user boolean NOT NULL DEFAULT false, created_at timestamptz, deleted_at timestamptz);
COMMENT ON TABLE auth.users IS 'Auth: Stores user login data within a secure schema.';
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$ SELECT nullif(current_setting('request.jwt.claim.role', true), '')::text $$;
CREATE TABLE public.profiles (id uuid PRIMARY KEY REFERENCES auth.users ON DELETE CASCADE, username text UNIQUE, avatar_url text, secret text DEFAULT encode(extensions.gen_random_bytes(8), 'hex'), CONSTRAINT username_length CHECK (char_length(username) >= 3));
CREATE TABLE public.teams (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, owner_id uuid NOT NULL REFERENCES auth.users);
CREATE TABLE public.members (team_id bigint REFERENCES public.teams ON DELETE CASCADE, user_id uuid REFERENCES auth.users ON DELETE CASCADE, role text NOT NULL DEFAULT 'viewer', PRIMARY KEY (team_id, user_id));
CREATE TABLE public.documents (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), team_id bigint NOT NULL REFERENCES public.teams, title text NOT NULL, body text, created_at timestamptz NOT NULL DEFAULT timezone('utc'::text, now()));
CREATE TABLE storage.buckets (id text PRIMARY KEY, name text NOT NULL, owner uuid REFERENCES auth.users, public boolean DEFAULT false);
CREATE TABLE storage.objects (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), bucket_id text REFERENCES storage.buckets, name text, path_tokens text[] GENERATED ALWAYS AS (string_to_array(name, '/')) STORED, metadata jsonb);
CREATE UNIQUE INDEX bucketid_objname ON storage.objects (bucket_id, name);
CREATE TABLE public.events (at timestamptz NOT NULL DEFAULT now(), user_id uuid, name text NOT NULL, payload jsonb);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
ALTER TABLE public.profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.members ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY; ALTER TABLE public.documents FORCE ROW LEVEL SECURITY;
ALTER TABLE storage.objects ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Public profiles are viewable by everyone." ON profiles FOR SELECT USING (true);
CREATE POLICY "Users can update own profile." ON profiles FOR UPDATE TO corpus_authenticated USING (auth.uid() = id) WITH CHECK (auth.uid() = id);
CREATE POLICY "Members see their team" ON teams FOR SELECT USING (EXISTS (SELECT 1 FROM members m WHERE m.team_id = teams.id AND m.user_id = auth.uid()));
CREATE POLICY "Owners see members" ON members FOR SELECT USING (EXISTS (SELECT 1 FROM teams t WHERE t.id = members.team_id AND t.owner_id = auth.uid()));
CREATE POLICY "Editors write" ON documents AS RESTRICTIVE FOR INSERT TO corpus_authenticated, corpus_service WITH CHECK (team_id IN (SELECT team_id FROM members WHERE user_id = auth.uid() AND role IN ('editor', 'owner')));
CREATE POLICY "Team reads" ON documents FOR SELECT USING (team_id IN (SELECT team_id FROM members WHERE user_id = auth.uid()));
CREATE POLICY "Own folder" ON storage.objects FOR ALL USING (bucket_id = 'avatars' AND path_tokens[1] = auth.uid()::text);
CREATE FUNCTION public.handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO public.profiles (id, username) VALUES (NEW.id, NEW.raw_user_meta_data ->> 'username');
    RETURN NEW;
END $$;
CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users FOR EACH ROW EXECUTE FUNCTION public.handle_new_user();
REVOKE ALL ON FUNCTION public.handle_new_user() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.uid() TO corpus_authenticated;
GRANT SELECT (id, email) ON auth.users TO corpus_authenticated;
CREATE PUBLICATION realtime FOR TABLE public.documents, public.teams;
INSERT INTO auth.users (id, email, raw_user_meta_data) SELECT md5(n::text)::uuid, n || '@example.org', jsonb_build_object('username', 'user' || n) FROM generate_series(1, 10) n;
INSERT INTO teams (name, owner_id) SELECT 'Team ' || n, md5(n::text)::uuid FROM generate_series(1, 3) n;
INSERT INTO members SELECT 1 + n % 3, md5(n::text)::uuid, 'editor' FROM generate_series(1, 10) n;
INSERT INTO documents (team_id, title) SELECT 1 + n % 3, 'Doc ' || n FROM generate_series(1, 20) n;
INSERT INTO events SELECT '2026-01-01'::timestamptz + n * interval '1 hour', md5((n % 10)::text)::uuid, 'click', '{}' FROM generate_series(1, 100) n;
