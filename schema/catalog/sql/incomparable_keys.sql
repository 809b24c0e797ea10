-- Foreign keys from or to these columns that could not be any more if the columns had these types: no operator compares the
-- two sides, and the referring side is not converted by itself.
WITH wanted AS (
  SELECT w.relation, w.name, c.oid, a.attnum, to_regtype(w.type)::oid AS type
    FROM unnest(%(relations)s::text[], %(names)s::text[], %(types)s::text[]) AS w (relation, name, type)
    JOIN pg_class c ON true
    JOIN pg_namespace n ON n.oid = c.relnamespace
     AND w.relation = CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = w.name
), sides AS (
  SELECT w.relation, w.name, k.oid AS key, CASE WHEN k.conrelid = w.oid THEN w.type ELSE o.atttypid END AS referring,
         CASE WHEN k.conrelid = w.oid THEN p.atttypid ELSE w.type END AS referred
    FROM wanted w
    JOIN pg_constraint k ON k.contype = 'f' AND k.conparentid = 0 AND w.oid IN (k.conrelid, k.confrelid)
                        AND k.conrelid <> k.confrelid
   CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS c (referring, referred)
    JOIN pg_attribute o ON o.attrelid = k.conrelid AND o.attnum = c.referring
    JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = c.referred
   WHERE (w.oid, w.attnum) IN ((o.attrelid, o.attnum), (p.attrelid, p.attnum))
), plain AS (
  SELECT s.relation, s.name, s.key, CASE r.typtype WHEN 'd' THEN r.typbasetype ELSE r.oid END AS referring,
         CASE d.typtype WHEN 'd' THEN d.typbasetype ELSE d.oid END AS referred
    FROM sides s JOIN pg_type r ON r.oid = s.referring JOIN pg_type d ON d.oid = s.referred
)
SELECT DISTINCT s.relation, s.name, n.nspname::text AS schema, c.relname::text AS "table", k.conname::text AS key
  FROM plain s
  JOIN pg_constraint k ON k.oid = s.key
  JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type r ON r.oid = s.referring
  JOIN pg_type d ON d.oid = s.referred
 WHERE s.referring <> s.referred AND n.nspname <> '_timescaledb_internal'
   AND r.typtype = 'b' AND d.typtype = 'b'
   AND NOT EXISTS (SELECT FROM pg_amop m WHERE m.amopstrategy = 3 AND (m.amoplefttype, m.amoprighttype)
                                               = (s.referred, s.referring))
   AND NOT EXISTS (SELECT FROM pg_cast t WHERE (t.castsource, t.casttarget) = (s.referring, s.referred)
                                           AND t.castcontext = 'i')
 ORDER BY 1, 2, 3, 4, 5
