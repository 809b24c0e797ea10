-- Views of one schema that are no continuous aggregate's.
SELECT c.relname AS name,
       rtrim(pg_get_viewdef(c.oid, true), ';') AS query,
       coalesce((SELECT o.option_value FROM pg_options_to_table(c.reloptions) o
                  WHERE o.option_name = 'security_invoker')::boolean, false) AS security_invoker,
       coalesce((SELECT o.option_value FROM pg_options_to_table(c.reloptions) o
                  WHERE o.option_name = 'security_barrier')::boolean, false) AS security_barrier,
       (SELECT o.option_value FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'check_option')
         AS check_option,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(a.attname, d.text, d.comment) ORDER BY a.attnum), '[]')
          FROM pg_attribute a
          LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum,
               LATERAL (SELECT pg_get_expr(f.adbin, f.adrelid, true) AS text,
                               col_description(a.attrelid, a.attnum) AS comment) d
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND (d.text IS NOT NULL OR d.comment IS NOT NULL)) AS described,
       -- as statements: the rule and its comment
       ARRAY(SELECT concat_ws('; ', rtrim(pg_get_ruledef(r.oid, true), ';'),
                    'COMMENT ON RULE ' || quote_ident(r.rulename) || ' ON ' || c.oid::regclass::text || ' IS '
                    || quote_literal(obj_description(r.oid, 'pg_rewrite')))
               FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' ORDER BY r.rulename) AS rules,
       obj_description(c.oid, 'pg_class') AS comment,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum)
         AS columns,
       ARRAY(SELECT format_type(a.atttypid, a.atttypmod)
                    || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE ' || a.attcollation::regcollation::text
                            ELSE '' END
               FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum) AS types,
       -- the columns of parts/relation_rights.sql
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'v'
