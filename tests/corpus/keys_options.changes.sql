-- change: partners have a group
ALTER TABLE partners ADD COLUMN group_no int;
-- change: the unique key of translations covers one column less
ALTER TABLE translations DROP CONSTRAINT translations_once;
ALTER TABLE translations ADD CONSTRAINT translations_once UNIQUE NULLS NOT DISTINCT (article_no, lang) INCLUDE (text);
-- change: what was not valid is
ALTER TABLE partners VALIDATE CONSTRAINT partners_name_len;
ALTER TABLE contacts VALIDATE CONSTRAINT contacts_company;
-- change: the tree may wait for its end
ALTER TABLE trees ALTER CONSTRAINT trees_parent_fkey DEFERRABLE INITIALLY IMMEDIATE;
-- change: texts have a limit, articles a weight
ALTER TABLE translations ALTER COLUMN text TYPE varchar(4000);
ALTER TABLE articles ADD COLUMN weight_kg numeric(9,3) CHECK (weight_kg > 0);
