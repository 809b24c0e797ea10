-- What depends on a routine p.
       -- a trigger of a chunk comes and goes with its hypertable's
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid)
               FROM pg_depend d
               LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
               LEFT JOIN pg_class c ON c.oid = t.tgrelid
              WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid AND d.deptype IN ('n', 'a')
                AND c.relnamespace IS DISTINCT FROM to_regnamespace('_timescaledb_internal')
              ORDER BY 1) AS dependants
