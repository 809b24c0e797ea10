-- change: posts are edited
ALTER TABLE app_public.post ADD COLUMN updated_at timestamp;
-- change: a topic
ALTER TYPE app_public.post_topic ADD VALUE 'announcement';
-- change: a longer headline
ALTER TABLE app_public.post DROP CONSTRAINT post_headline_check;
ALTER TABLE app_public.post ADD CONSTRAINT post_headline_check CHECK (char_length(headline) < 500);
-- change: authors delete
CREATE POLICY delete_post ON app_public.post FOR DELETE TO forum_person USING (author_id = app_public.current_person_id());
-- change: visits are compressed
ALTER TABLE app_hidden.visits SET (timescaledb.compress, timescaledb.compress_segmentby = 'person_id', timescaledb.compress_orderby = 'at DESC');
SELECT add_compression_policy('app_hidden.visits', INTERVAL '30 days');
