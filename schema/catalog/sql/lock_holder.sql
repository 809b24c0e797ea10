-- Who holds the advisory lock.
SELECT a.pid, a.usename::text AS "user", a.application_name AS application, a.client_addr::text AS client
  FROM pg_locks l
  LEFT JOIN pg_stat_activity a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (l.classid::bigint << 32) + l.objid::bigint = %(key)s
 LIMIT 1
