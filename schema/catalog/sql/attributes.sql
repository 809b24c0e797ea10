-- Every attribute of the relations asked for (full names) and of what hangs on them: one row an object, its catalog row
-- as JSON with names in place of object identifiers. Dependent views and tables that refer to one another come along.
WITH RECURSIVE asked AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END = ANY(%(names)s)
     AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
), standing (oid) AS (
  SELECT oid FROM asked
  UNION
  SELECT r.ev_class FROM standing s
    JOIN pg_depend d ON d.refobjid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid
), relation AS (
  SELECT c.oid, c.relname, n.nspname, c.relkind, CASE n.nspname WHEN 'public' THEN c.relname
    ELSE n.nspname || '.' || c.relname END AS name,
         -- a sequence that a column owns comes and goes with the table
         coalesce((SELECT CASE o.nspname WHEN 'public' THEN t.relname ELSE o.nspname || '.' || t.relname END
                     FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace o ON o.oid = t.relnamespace
                    WHERE c.relkind = 'S' AND d.objid = c.oid AND d.classid = 'pg_class'::regclass
                      AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1),
                  CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END) AS holder
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE (c.oid IN (TABLE standing)
          OR c.oid IN (SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid IN (TABLE asked))
          OR c.oid IN (SELECT d.objid FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.refobjid IN (TABLE asked)
                          AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
     AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname NOT LIKE '\_timescaledb%%'
)
SELECT 'pg_class' AS catalog, r.oid, 0 AS sub, r.name AS object, r.holder AS relation,
       to_jsonb(c) || jsonb_build_object(
         'relowner', c.relowner::regrole::text, 'relacl', (SELECT jsonb_agg(x::text ORDER BY x::text)
           FROM unnest(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char",
             c.relowner))) x), 'reltablespace',
         (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace), 'relam', (SELECT amname FROM pg_am
           WHERE oid = c.relam AND c.relkind <> 'm'),
         'relpersistence', CASE WHEN c.relkind <> 'S' THEN c.relpersistence END,
         'reloftype', nullif(c.reloftype, 0)::regtype::text, 'relpartbound', pg_get_expr(c.relpartbound, c.oid),
         'reloptions', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o WHERE c.relkind NOT IN ('v', 'm')),
         'view_options', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o WHERE c.relkind IN ('v', 'm')),
         'comment', obj_description(c.oid, 'pg_class'),
         'definition', CASE WHEN c.relkind IN ('v',
           'm') THEN pg_get_viewdef(c.oid) WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
         'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i
           WHERE i.inhrelid = c.oid),
         'publications', (SELECT jsonb_agg(p.pubname ORDER BY 1) FROM pg_publication_rel x
           JOIN pg_publication p ON p.oid = x.prpubid
                           WHERE x.prrelid = c.oid),
         'labels', (SELECT jsonb_agg(l.provider || ' ' || l.label ORDER BY 1) FROM pg_seclabel l
                     WHERE l.objoid = c.oid AND l.classoid = 'pg_class'::regclass AND l.objsubid = 0),
         'extension', (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                        WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')) AS attributes
  FROM relation r JOIN pg_class c ON c.oid = r.oid
UNION ALL
SELECT 'pg_attribute', a.attrelid, a.attnum, r.name || '.' || a.attname, r.name,
       to_jsonb(a) || jsonb_build_object(
         'attname', a.attname, 'atttypid', format_type(a.atttypid, a.atttypmod), 'attacl',
           (SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(a.attacl) x), 'attmissingval', NULL,
         'attcollation', CASE WHEN t.typcollation = 0 THEN '-' WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
         'attstorage', CASE WHEN t.typstorage = 'p' THEN '-' WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
         'attcompression', CASE WHEN t.typstorage = 'p' THEN '-' ELSE to_jsonb(a)->>'attcompression' END,
         'attoptions', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%%'),
         'attstattarget', nullif(a.attstattarget, -1), 'default', pg_get_expr(d.adbin, d.adrelid),
         'comment', col_description(a.attrelid, a.attnum),
         'labels', (SELECT jsonb_agg(l.provider || ' ' || l.label ORDER BY 1) FROM pg_seclabel l
                     WHERE l.objoid = a.attrelid AND l.classoid = 'pg_class'::regclass AND l.objsubid = a.attnum))
  FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind <> 'S'
UNION ALL
SELECT 'pg_constraint', k.oid, 0, r.name || '.' || k.conname, r.name,
       to_jsonb(k) || jsonb_build_object('definition', pg_get_constraintdef(k.oid), 'comment', obj_description(k.oid,
         'pg_constraint'),
         'confdelsetcols', (SELECT jsonb_agg(a.attname ORDER BY 1) FROM pg_attribute a
                             WHERE a.attrelid = k.conrelid AND to_jsonb(a.attnum) <@ (to_jsonb(k)->'confdelsetcols')))
  FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid WHERE k.contype <> 't'
UNION ALL
SELECT 'pg_index', i.indexrelid, 0, CASE n.nspname WHEN 'public' THEN c.relname ELSE n.nspname || '.' || c.relname END,
  r.name,
       to_jsonb(i) || jsonb_build_object('definition', pg_get_indexdef(i.indexrelid), 'comment', obj_description(c.oid,
         'pg_class'),
         'reloptions', (SELECT jsonb_agg(o ORDER BY o) FROM unnest(c.reloptions) o), 'relowner', c.relowner::regrole::text,
         'reltablespace', (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace),
         'collations', (SELECT jsonb_object_agg(pg_get_indexdef(i.indexrelid, x.k::int, true),
           CASE WHEN x.coll <> 0 THEN x.coll::regcollation::text END)
                         FROM unnest(i.indcollation) WITH ORDINALITY x (coll, k)),
         'include', (SELECT jsonb_agg(pg_get_indexdef(i.indexrelid, x, true) ORDER BY x)
           FROM generate_series(i.indnkeyatts + 1, i.indnatts) x
                      WHERE EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p',
                        'u', 'x'))),
         'targets', (SELECT jsonb_object_agg(pg_get_indexdef(i.indexrelid, a.attnum, true), a.attstattarget)
           FROM pg_attribute a
                      WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0))
  FROM relation r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT 'pg_trigger', t.oid, 0, r.name || '.' || t.tgname, r.name,
       to_jsonb(t) || jsonb_build_object('comment', obj_description(t.oid, 'pg_trigger'), 'tgconstraint',
         t.tgconstraint <> 0,
         'tgconstrrelid', nullif(t.tgconstrrelid, 0)::regclass::text, 'tgenabled', CASE WHEN t.tgenabled IN ('A',
           'R') THEN t.tgenabled::text END)
  FROM relation r JOIN pg_trigger t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'pg_policy', p.oid, 0, r.name || '.' || p.polname, r.name,
       to_jsonb(p) || jsonb_build_object('comment', obj_description(p.oid, 'pg_policy'),
         'polqual', pg_get_expr(p.polqual, p.polrelid), 'polwithcheck', pg_get_expr(p.polwithcheck, p.polrelid),
         'polroles', (SELECT jsonb_agg(CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END ORDER BY 1)
           FROM unnest(p.polroles) o))
  FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'pg_rewrite', w.oid, 0, r.name || '.' || w.rulename, r.name,
       to_jsonb(w) || jsonb_build_object('definition', CASE WHEN w.rulename <> '_RETURN' THEN pg_get_ruledef(w.oid) END,
         'comment', obj_description(w.oid, 'pg_rewrite'))
  FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
UNION ALL
SELECT 'pg_statistic_ext', s.oid, 0, CASE n.nspname WHEN 'public' THEN s.stxname
  ELSE n.nspname || '.' || s.stxname END, r.name,
       to_jsonb(s) || jsonb_build_object('definition', pg_get_statisticsobjdef(s.oid), 'comment',
         obj_description(s.oid, 'pg_statistic_ext'),
         'stxowner', s.stxowner::regrole::text)
  FROM relation r JOIN pg_statistic_ext s ON s.stxrelid = r.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
UNION ALL
-- by itself where it is asked for, else with the table whose column owns it
SELECT CASE WHEN r.name = ANY(%(names)s) THEN 'pg_sequence' ELSE 'owned_sequence' END, q.seqrelid, 0, r.name,
       CASE WHEN r.name = ANY(%(names)s) THEN r.name ELSE r.holder END,
       to_jsonb(q) || jsonb_build_object(
         'unlogged', (SELECT c.relpersistence = 'u' FROM pg_class c WHERE c.oid = r.oid),
         'seqmax', CASE WHEN q.seqmax NOT IN (32767, 2147483647, 9223372036854775807, -1) THEN q.seqmax END,
         'seqmin', CASE WHEN q.seqmin NOT IN (1, -32768, -2147483648, -9223372036854775808) THEN q.seqmin END,
         'owned', (SELECT jsonb_agg(d.refobjid::regclass::text || '.' || a.attname) FROM pg_depend d
                     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.objid = q.seqrelid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
  FROM relation r JOIN pg_sequence q ON q.seqrelid = r.oid
UNION ALL
SELECT 'pg_proc', p.oid, 0, f.name || '(' || oidvectortypes(p.proargtypes) || ')', f.name,
       to_jsonb(p) || jsonb_build_object('proowner', p.proowner::regrole::text, 'proacl',
         (SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) x),
         'prolang', (SELECT lanname FROM pg_language WHERE oid = p.prolang), 'comment', obj_description(p.oid, 'pg_proc'),
         'prosupport', nullif(p.prosupport, 0)::regprocedure::text, 'arguments', pg_get_function_arguments(p.oid),
         'result', pg_get_function_result(p.oid))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace,
       LATERAL (SELECT CASE n.nspname WHEN 'public' THEN p.proname ELSE n.nspname || '.' || p.proname END AS name) f
 WHERE f.name = ANY(%(names)s)
UNION ALL
SELECT 'pg_type', t.oid, 0, f.name, f.name,
       to_jsonb(t) || jsonb_build_object('typowner', t.typowner::regrole::text, 'typacl',
         (SELECT jsonb_agg(x::text ORDER BY x::text) FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) x),
         'comment', obj_description(t.oid, 'pg_type'), 'typbasetype', nullif(t.typbasetype, 0)::regtype::text,
         'typcollation', nullif(t.typcollation, 0)::regcollation::text,
         'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         'constraints', (SELECT jsonb_agg(k.conname || ' ' || pg_get_constraintdef(k.oid) ORDER BY 1)
           FROM pg_constraint k WHERE k.contypid = t.oid))
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace,
       LATERAL (SELECT CASE n.nspname WHEN 'public' THEN t.typname ELSE n.nspname || '.' || t.typname END AS name) f
 WHERE t.typtype IN ('e', 'd') AND f.name = ANY(%(names)s)
