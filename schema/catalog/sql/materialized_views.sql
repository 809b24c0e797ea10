-- Materialized views of one schema.
SELECT c.relname AS name,
       rtrim(pg_get_viewdef(c.oid, true), ';') AS query,
       c.relispopulated AS populated,
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
       CASE WHEN c.relowner <> current_user::regrole THEN c.relowner::regrole::text END AS owner,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(g.privileges, g.column, g.role) ORDER BY g.role, g.column), '[]')
          FROM (SELECT string_agg(a.privilege_type, ', ')
                       || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS privileges,
                       a.column, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
                  FROM (SELECT x.*, NULL::text AS column
                          FROM aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) x
                        UNION ALL
                        SELECT x.*, t.attname::text
                          FROM pg_attribute t, aclexplode(t.attacl) x
                         WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) a
                 WHERE a.grantee <> c.relowner
                 GROUP BY a.grantee, a.column, a.is_grantable) g) AS granted,
       ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
               FROM pg_default_acl d, aclexplode(d.defaclacl) a
              WHERE d.defaclobjtype = 'r' AND d.defaclrole = current_user::regrole
                AND d.defaclnamespace IN (0, c.relnamespace) AND a.grantee <> d.defaclrole ORDER BY 1) AS withdrawn
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am m ON m.oid = c.relam
 WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind = 'm'
