-- Primary, unique, foreign, check and exclusion constraints of tables. What their indexes have is read with the indexes;
-- what a server before PostgreSQL 15 or 18 has no column for, by way of jsonb.
SELECT c.relname AS "table",
       k.conname AS name,
       k.contype AS type,
       k.convalidated AS validated,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(num, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.place) AS columns,
       CASE WHEN rn.nspname = 'public' THEN r.relname ELSE rn.nspname || '.' || r.relname END AS target,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(num, place)
               JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.place) AS "references",
       k.confdeltype AS on_delete,
       k.confupdtype AS on_update,
       CASE k.confmatchtype WHEN 'f' THEN 'full' ELSE 'simple' END AS match,
       ARRAY(SELECT a.attname::text FROM jsonb_array_elements_text(nullif(to_jsonb(k) -> 'confdelsetcols', 'null')) AS u(num)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num::int2 ORDER BY a.attnum) AS set_columns,
       k.condeferrable AS deferrable,
       k.condeferred AS initially_deferred,
       k.connoinherit AS no_inherit,
       coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS enforced,
       coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) AS period,
       ARRAY(SELECT CASE WHEN pg_operator_is_visible(o.oid) THEN o.oprname
                         ELSE 'OPERATOR(' || quote_ident(n.nspname) || '.' || o.oprname || ')' END
               FROM unnest(k.conexclop) WITH ORDINALITY AS u(oid, place)
               JOIN pg_operator o ON o.oid = u.oid
               JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY u.place) AS operators,
       pg_get_expr(k.conbin, k.conrelid, true) AS expression,
       obj_description(k.oid, 'pg_constraint') AS comment
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class r ON r.oid = k.confrelid
  LEFT JOIN pg_namespace rn ON rn.oid = r.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
   AND k.contype IN ('p', 'u', 'f', 'c', 'x') AND k.conparentid = 0
 ORDER BY c.relname, k.conname
