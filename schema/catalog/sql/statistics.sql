-- Extended statistics of one schema. `expressions` is what follows the columns in CREATE STATISTICS, in which neither
-- the name before nor the table behind it is looked for: they may be spelled in any way.
SELECT s.stxname AS name, CASE WHEN n.nspname = 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END AS "table",
       named.columns,
       substr(terms.list, CASE WHEN named.list = '' THEN 1 ELSE length(named.list) + 3 END) AS expressions,
       ARRAY(SELECT CASE k.kind WHEN 'd' THEN 'ndistinct' WHEN 'f' THEN 'dependencies' ELSE 'mcv' END
               FROM unnest(s.stxkind) WITH ORDINALITY AS k (kind, place)
              WHERE k.kind IN ('d', 'f', 'm')
              ORDER BY k.place) AS kinds,
       obj_description(s.oid, 'pg_statistic_ext') AS comment
  FROM pg_statistic_ext s
  JOIN pg_namespace m ON m.oid = s.stxnamespace
  JOIN pg_class c ON c.oid = s.stxrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
          SELECT coalesce(array_agg(a.attname::text ORDER BY k.place), '{}') AS columns,
                 coalesce(string_agg(quote_ident(a.attname), ', ' ORDER BY k.place), '') AS list
            FROM unnest(s.stxkeys) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute a ON a.attrelid = s.stxrelid AND a.attnum = k.number) AS named
 CROSS JOIN LATERAL (
          SELECT regexp_replace(substr(d.definition, 1 + length(format('CREATE STATISTICS %%I.%%I', m.nspname, s.stxname))),
                                '^( \([a-z, ]+\))? ON ', '') AS rest
            FROM pg_get_statisticsobjdef(s.oid) AS d (definition)) AS after_name
 CROSS JOIN LATERAL (
          SELECT left(after_name.rest, -length(' FROM ' || c.oid::regclass::text)) AS list) AS terms
 WHERE m.nspname = %(schema)s AND s.stxname = ANY(%(names)s)
