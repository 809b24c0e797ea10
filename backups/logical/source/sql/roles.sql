-- The roles that own something here, were granted something, have settings of their own here, or are members of those:
-- names and attributes, no passwords.
WITH RECURSIVE named AS (
    SELECT refobjid AS oid FROM pg_shdepend
     WHERE refclassid = 'pg_authid'::regclass
       AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION
    SELECT setrole FROM pg_db_role_setting
     WHERE setrole <> 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
), used AS (
    SELECT oid FROM named
    UNION
    SELECT m.roleid FROM used JOIN pg_auth_members m ON m.member = used.oid
)
SELECT r.rolname::text AS name, r.rolsuper AS superuser, r.rolinherit AS inherit, r.rolcreaterole AS createrole,
       r.rolcreatedb AS createdb, r.rolcanlogin AS login, r.rolreplication AS replication, r.rolbypassrls AS bypassrls,
       r.rolconnlimit AS connections,
       ARRAY(SELECT pg_get_userbyid(m.roleid)::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1) AS member_of
  FROM pg_roles r
  JOIN used ON used.oid = r.oid
 WHERE r.rolname !~ '^pg_' AND r.oid <> 10
 ORDER BY 1
