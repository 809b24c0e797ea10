-- Materialized views of one schema.
SELECT c.relname AS name,
       rtrim(pg_get_viewdef(c.oid, true), ';') AS query,
       c.relispopulated AS populated,
       -- one that it reads, by way of other views too, and that cannot be queried
       (WITH RECURSIVE reading AS (
            SELECT c.oid AS relation
            UNION
            SELECT d.refobjid
              FROM reading
              JOIN pg_rewrite r ON r.ev_class = reading.relation
              JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                              AND d.refclassid = 'pg_class'::regclass)
        SELECT min(u.oid::regclass::text)
          FROM pg_class u
         WHERE u.oid IN (SELECT relation FROM reading WHERE relation <> c.oid) AND u.relkind = 'm'
           AND NOT u.relispopulated) AS beneath,
       (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace) AS tablespace,
       nullif(m.amname, current_setting('default_table_access_method')) AS method,
       ARRAY(SELECT o.option_name || ' = ' || o.option_value FROM pg_options_to_table(c.reloptions) o) AS options,
       obj_description(c.oid, 'pg_class') AS comment,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(a.attname, NULL, col_description(a.attrelid, a.attnum))
                                  ORDER BY a.attnum), '[]')
          FROM pg_attribute a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NOT NULL) AS described,
       ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum)
         AS columns,
       -- what a new one would not have; a statistics target of -1 is the default's before PostgreSQL 17
       ARRAY(SELECT 'the settings of column ' || a.attname
               FROM pg_attribute a
               JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = c.oid AND a.attnum > 0
                AND (coalesce(a.attstattarget, -1) <> -1 OR a.attstorage <> t.typstorage
                     OR EXISTS (SELECT FROM pg_options_to_table(a.attoptions) o WHERE starts_with(o.option_name, 'n_distinct'))
                     OR nullif(to_jsonb(a) ->> 'attcompression', '') IS NOT NULL)
              UNION ALL
             SELECT 'CLUSTER ON ' || i.indexrelid::regclass::text
               FROM pg_index i WHERE i.indrelid = c.oid AND i.indisclustered
              UNION ALL
             SELECT 'statistics object ' || s.stxname FROM pg_statistic_ext s WHERE s.stxrelid = c.oid
              ORDER BY 1) AS settings,
       -- the columns of parts/relation_rights.sql
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am m ON m.oid = c.relam
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'm'
