-- Scratch databases of sessions that are gone: the process in their names is none of today's, and nobody is connected.
SELECT d.datname AS name
  FROM pg_database d
 WHERE d.datname ~ ('^' || %(prefix)s || '_[0-9]+_[0-9a-f]+$')
   AND pg_has_role(d.datdba, 'USAGE')
   AND NOT EXISTS (SELECT FROM pg_stat_activity a
                    WHERE a.datname = d.datname OR a.pid::text = substring(d.datname FROM '_([0-9]+)_[0-9a-f]+$'))
