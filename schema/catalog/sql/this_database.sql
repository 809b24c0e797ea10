-- What a database beside this one has to be like: encoding and locale, in the words of CREATE DATABASE; and whether this
-- login may create one. One row.
SELECT pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS lc_collate, d.datctype AS lc_ctype,
       to_jsonb(d)->>'datlocprovider' AS provider,
       coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale') AS locale,
       current_setting('search_path') AS search_path,
       r.rolcreatedb OR r.rolsuper AS may_create_database
  FROM pg_database d
  JOIN pg_roles r ON r.rolname = current_user
 WHERE d.datname = current_database()
