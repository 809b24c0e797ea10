-- Style: a carefully constrained ERP core where every option of a key is in use.
-- Exercises: INCLUDE, NULLS NOT DISTINCT, DEFERRABLE keys and foreign keys, MATCH FULL, ON DELETE SET NULL (column), SET
-- DEFAULT (column), NO INHERIT, NOT VALID, self references, cycles, several foreign keys between two tables.
CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE companies (company_no smallint, name text NOT NULL, parent_no smallint, vat text, PRIMARY KEY (company_no) INCLUDE (name), CONSTRAINT companies_vat UNIQUE NULLS NOT DISTINCT (vat), FOREIGN KEY (parent_no) REFERENCES companies ON DELETE SET NULL);
CREATE TABLE partners (company_no smallint NOT NULL REFERENCES companies, partner_no int NOT NULL, name varchar(80) NOT NULL, main_contact int, sort_key int, CONSTRAINT partners_pk PRIMARY KEY (company_no, partner_no), CONSTRAINT partners_sort UNIQUE (company_no, sort_key) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE contacts (company_no smallint NOT NULL, contact_no int NOT NULL, partner_no int, name text, CONSTRAINT contacts_pk PRIMARY KEY (company_no, contact_no), CONSTRAINT contacts_partner FOREIGN KEY (company_no, partner_no) REFERENCES partners ON DELETE SET NULL (partner_no));
ALTER TABLE partners ADD CONSTRAINT partners_main_contact FOREIGN KEY (company_no, main_contact) REFERENCES contacts (company_no, contact_no) ON DELETE SET NULL (main_contact) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE articles (company_no smallint NOT NULL, article_no varchar(20) NOT NULL, supplier int DEFAULT 1, manufacturer int, price numeric(12,4), currency char(3), CONSTRAINT articles_pk PRIMARY KEY (company_no, article_no) INCLUDE (price) WITH (fillfactor = 90),
    CONSTRAINT articles_supplier FOREIGN KEY (company_no, supplier) REFERENCES partners ON DELETE SET DEFAULT (supplier), CONSTRAINT articles_manufacturer FOREIGN KEY (company_no, manufacturer) REFERENCES partners ON DELETE RESTRICT ON UPDATE CASCADE,
    CONSTRAINT articles_price CHECK (price > 0) NO INHERIT, CONSTRAINT articles_currency CHECK ((price IS NULL) = (currency IS NULL)));
CREATE TABLE translations (company_no smallint, article_no varchar(20), lang char(2) NOT NULL, text text, CONSTRAINT translations_article FOREIGN KEY (company_no, article_no) REFERENCES articles MATCH FULL ON DELETE CASCADE, CONSTRAINT translations_once UNIQUE NULLS NOT DISTINCT (company_no, article_no, lang) INCLUDE (text));
CREATE TABLE trees (id int PRIMARY KEY, left_id int UNIQUE DEFERRABLE, right_id int UNIQUE DEFERRABLE INITIALLY DEFERRED, parent int REFERENCES trees ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, CHECK (left_id < right_id));
CREATE TABLE stock (company_no smallint NOT NULL, article_no varchar(20) NOT NULL, at timestamptz NOT NULL, quantity numeric(14,3) NOT NULL, CONSTRAINT stock_pk PRIMARY KEY (company_no, article_no, at), CONSTRAINT stock_article FOREIGN KEY (company_no, article_no) REFERENCES articles ON UPDATE CASCADE);
SELECT create_hypertable('stock', 'at', chunk_time_interval => INTERVAL '7 days');
CREATE UNIQUE INDEX stock_unique ON stock (at, article_no, company_no) INCLUDE (quantity) NULLS NOT DISTINCT;
INSERT INTO companies VALUES (1, 'Head', NULL, 'ATU1'), (2, 'Branch', 1, NULL);
INSERT INTO partners SELECT 1, n, 'Partner ' || n, NULL, n FROM generate_series(1, 10) n;
INSERT INTO contacts SELECT 1, n, 1 + n % 10, 'Contact ' || n FROM generate_series(1, 20) n;
UPDATE partners SET main_contact = partner_no;
INSERT INTO articles SELECT 1, 'A' || n, 1 + n % 10, 1 + n % 5, n, 'EUR' FROM generate_series(1, 15) n;
INSERT INTO translations SELECT 1, 'A' || n, 'de', 'Artikel' FROM generate_series(1, 15) n;
INSERT INTO trees SELECT n, n * 2, n * 2 + 1, nullif(n / 2, 0) FROM generate_series(1, 12) n;
INSERT INTO stock SELECT 1, 'A' || 1 + n % 15, '2026-01-01'::timestamptz + n * interval '3 hours', n FROM generate_series(1, 200) n;
ALTER TABLE partners ADD CONSTRAINT partners_name_len CHECK (length(name) > 2) NOT VALID;
ALTER TABLE contacts ADD CONSTRAINT contacts_company FOREIGN KEY (company_no) REFERENCES companies NOT VALID;
ALTER TABLE stock SET (timescaledb.compress, timescaledb.compress_segmentby = 'company_no, article_no', timescaledb.compress_orderby = 'at');
SELECT count(compress_chunk(c)) FROM show_chunks('stock', older_than => '2026-01-15'::timestamptz) c;
