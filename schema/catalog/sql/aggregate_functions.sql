-- Aggregate functions of one schema by name, oldest first; all that bear it, but for an extension's own.
SELECT p.proname AS name,
       coalesce(nullif(pg_get_function_arguments(p.oid), ''), '*') AS arguments,
       oidvectortypes(p.proargtypes) AS inputs,
       pg_get_function_result(p.oid) AS returns,
       CASE WHEN a.aggtransfn <> 0 THEN a.aggtransfn::regproc::text END AS sfunc,
       CASE WHEN a.aggfinalfn <> 0 THEN a.aggfinalfn::regproc::text END AS finalfunc,
       CASE WHEN a.aggcombinefn <> 0 THEN a.aggcombinefn::regproc::text END AS combinefunc,
       CASE WHEN a.aggserialfn <> 0 THEN a.aggserialfn::regproc::text END AS serialfunc,
       CASE WHEN a.aggdeserialfn <> 0 THEN a.aggdeserialfn::regproc::text END AS deserialfunc,
       CASE WHEN a.aggmtransfn <> 0 THEN a.aggmtransfn::regproc::text END AS msfunc,
       CASE WHEN a.aggminvtransfn <> 0 THEN a.aggminvtransfn::regproc::text END AS minvfunc,
       CASE WHEN a.aggmfinalfn <> 0 THEN a.aggmfinalfn::regproc::text END AS mfinalfunc,
       format_type(a.aggtranstype, NULL) AS stype,
       nullif(a.aggtransspace, 0) AS sspace,
       a.aggfinalextra AS finalfunc_extra,
       f.words ->> nullif(a.aggfinalmodify::text, f.usual) AS finalfunc_modify,
       a.agginitval AS initcond,
       CASE WHEN a.aggmtranstype <> 0 THEN format_type(a.aggmtranstype, NULL) END AS mstype,
       nullif(a.aggmtransspace, 0) AS msspace,
       a.aggmfinalextra AS mfinalfunc_extra,
       f.words ->> nullif(a.aggmfinalmodify::text, f.usual) AS mfinalfunc_modify,
       a.aggminitval AS minitcond,
       (SELECT CASE WHEN on_.nspname = 'pg_catalog' THEN o.oprname
                    ELSE 'OPERATOR(' || quote_ident(on_.nspname) || '.' || o.oprname || ')' END
          FROM pg_operator o JOIN pg_namespace on_ ON on_.oid = o.oprnamespace WHERE o.oid = a.aggsortop) AS sortop,
       a.aggkind = 'h' AS hypothetical,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END AS parallel,
       obj_description(p.oid, 'pg_proc') AS comment,
       -- the columns of parts/rights.sql
       -- the columns of parts/routine_dependants.sql
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_aggregate a ON a.aggfnoid = p.oid,
       LATERAL (SELECT CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END AS usual,
                       '{"r": "read_only", "s": "shareable", "w": "read_write"}'::jsonb AS words) f
 CROSS JOIN LATERAL (SELECT p.proowner AS owner, coalesce(p.proacl, acldefault('f', p.proowner)) AS acl, 'f'::"char" AS kind,
                             p.pronamespace AS namespace) o
 WHERE n.nspname = %(schema)s AND p.proname = ANY(%(names)s) AND p.prokind = 'a'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
 ORDER BY p.proname, p.oid
