-- Collations of one schema. PostgreSQL 15 gave ICU's locale a column of its own, 16 rules, 17 renamed the locale's.
SELECT o.collname AS name,
       CASE o.collprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' WHEN 'd' THEN 'default' ELSE 'libc' END
         AS provider,
       coalesce(to_jsonb(o) ->> 'colllocale', to_jsonb(o) ->> 'colliculocale', o.collcollate::text) AS locale,
       CASE WHEN o.collprovider = 'c' AND o.collctype <> o.collcollate THEN o.collctype::text END AS character_types,
       o.collisdeterministic AS deterministic,
       to_jsonb(o) ->> 'collicurules' AS rules,
       obj_description(o.oid, 'pg_collation') AS comment,
       CASE WHEN o.collowner <> current_user::regrole THEN o.collowner::regrole::text END AS owner,
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
               FROM pg_depend d
              WHERE d.refclassid = 'pg_collation'::regclass AND d.refobjid = o.oid AND d.deptype IN ('n', 'a')
                -- the array type that every type has goes with it
                AND NOT (d.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.typarray = d.objid))
              ORDER BY 1) AS dependants
  FROM pg_collation o
  JOIN pg_namespace n ON n.oid = o.collnamespace
 WHERE n.nspname = %(schema)s AND o.collname = ANY(%(names)s)
   AND o.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
