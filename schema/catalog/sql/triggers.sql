-- Triggers of tables that are neither a constraint's nor TimescaleDB's own. A hypertable's are on its chunks, too; one
-- that was disabled is enabled on chunks that came later, which `mixed` tells.
SELECT c.relname AS "table",
       t.tgname AS name,
       CASE WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' WHEN t.tgtype & 64 <> 0 THEN 'INSTEAD OF' ELSE 'AFTER' END || ' '
         || array_to_string(array_remove(ARRAY[
              CASE WHEN t.tgtype & 4 <> 0 THEN 'INSERT' END,
              CASE WHEN t.tgtype & 8 <> 0 THEN 'DELETE' END,
              CASE WHEN t.tgtype & 16 <> 0 THEN 'UPDATE' || CASE WHEN cardinality(t.tgattr::int2[]) > 0 THEN ' OF ' || (
                SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
                  FROM unnest(t.tgattr::int2[]) WITH ORDINALITY AS u(num, place)
                  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.num) ELSE '' END END,
              CASE WHEN t.tgtype & 32 <> 0 THEN 'TRUNCATE' END], NULL), ' OR ') AS fires,
       CASE WHEN pg_function_is_visible(p.oid) THEN '' ELSE quote_ident(f.nspname) || '.' END || quote_ident(p.proname)
         AS function,
       t.tgargs AS arguments,
       CASE WHEN t.tgtype & 1 <> 0 THEN 'row' ELSE 'statement' END AS each,
       pg_get_triggerdef(t.oid, true) AS definition,
       t.tgqual IS NOT NULL AS conditional,
       nullif(concat_ws(' ', 'OLD TABLE AS ' || quote_ident(t.tgoldtable), 'NEW TABLE AS ' || quote_ident(t.tgnewtable)),
              '') AS referencing,
       t.tgenabled = 'D' AS disabled,
       CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' ELSE 'origin' END AS role,
       t.tgconstraint <> 0 AS "constraint",
       t.tgdeferrable AS deferrable,
       t.tginitdeferred AS initially_deferred,
       CASE WHEN rn.nspname = 'public' THEN r.relname ELSE rn.nspname || '.' || r.relname END AS from_table,
       EXISTS (SELECT FROM pg_inherits i JOIN pg_trigger o ON o.tgrelid = i.inhrelid AND o.tgname = t.tgname
                WHERE i.inhparent = c.oid AND o.tgenabled <> t.tgenabled) AS mixed,
       obj_description(t.oid, 'pg_trigger') AS comment
  FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc p ON p.oid = t.tgfoid
  JOIN pg_namespace f ON f.oid = p.pronamespace
  LEFT JOIN pg_class r ON r.oid = t.tgconstrrelid
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND NOT t.tgisinternal
   AND f.nspname NOT IN ('_timescaledb_functions', '_timescaledb_internal')
 ORDER BY c.relname, t.tgname
