-- Triggers of tables that are neither a constraint's nor TimescaleDB's own. A hypertable's are on its chunks, too; one
-- that was disabled is enabled on chunks that came later, which `mixed` tells.
SELECT c.relname AS "table",
       t.tgname AS name,
       CASE WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' WHEN t.tgtype & 64 <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END || ' '
         || array_to_string(array_remove(ARRAY[
              CASE WHEN t.tgtype & 4 <> 0 THEN 'INSERT' END,
              CASE WHEN t.tgtype & 8 <> 0 THEN 'DELETE' END,
              CASE WHEN t.tgtype & 16 <> 0 THEN 'UPDATE' || CASE WHEN cardinality(t.tgattr::int2[]) > 0 THEN ' OF ' || (
                SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(t.tgattr::int2[])) ELSE '' END END,
              CASE WHEN t.tgtype & 32 <> 0 THEN 'TRUNCATE' END], NULL), ' OR ') AS fires,
       regexp_replace(d.text, '^.* EXECUTE (FUNCTION|PROCEDURE) ', '') AS calls,
       CASE WHEN t.tgtype & 1 <> 0 THEN 'row' ELSE 'statement' END AS each,
       substring(d.text FROM ' WHEN \((.*)\) EXECUTE (?:FUNCTION|PROCEDURE) ') AS "when",
       nullif(concat_ws(' ', 'OLD TABLE AS ' || quote_ident(t.tgoldtable), 'NEW TABLE AS ' || quote_ident(t.tgnewtable)),
              '') AS referencing,
       t.tgenabled IN ('D', 'R') AS disabled,
       EXISTS (SELECT FROM pg_inherits i JOIN pg_trigger o ON o.tgrelid = i.inhrelid AND o.tgname = t.tgname
                WHERE i.inhparent = c.oid AND o.tgenabled <> t.tgenabled) AS mixed,
       obj_description(t.oid, 'pg_trigger') AS comment
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_namespace f ON f.oid = p.pronamespace,
       LATERAL (SELECT pg_get_triggerdef(t.oid, true) AS text) d
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND NOT t.tgisinternal
   AND f.nspname NOT IN ('_timescaledb_functions', '_timescaledb_internal')
 ORDER BY c.relname, t.tgname
