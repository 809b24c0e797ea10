-- change: profiles have a bio
ALTER TABLE public.profiles ADD COLUMN bio text CHECK (char_length(bio) < 1000);
-- change: members may be read by themselves
DROP POLICY "Owners see members" ON members;
CREATE POLICY "Owners see members" ON members FOR SELECT USING (user_id = auth.uid() OR EXISTS (SELECT 1 FROM teams t WHERE t.id = members.team_id AND t.owner_id = auth.uid()));
-- change: documents are archived
ALTER TABLE public.documents ADD COLUMN archived_at timestamptz;
CREATE INDEX documents_live_idx ON public.documents (team_id) WHERE archived_at IS NULL;
-- change: a new table with row security
CREATE TABLE public.comments (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, document_id uuid NOT NULL REFERENCES public.documents ON DELETE CASCADE, author uuid DEFAULT auth.uid(), text text NOT NULL);
ALTER TABLE public.comments ENABLE ROW LEVEL SECURITY;
CREATE POLICY "Authors write" ON public.comments FOR INSERT WITH CHECK (author = auth.uid());
-- change: events are kept for a month
SELECT add_retention_policy('public.events', INTERVAL '1 month');
