-- How many bytes of WAL each standby has yet to replay; where this login may not see that, how many its slot still holds.
WITH seen AS (
    SELECT coalesce(nullif(application_name, ''), client_addr::text, 'process ' || pid) AS standby,
           pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS bytes
      FROM pg_stat_replication
     WHERE state IN ('streaming', 'catchup') AND replay_lsn IS NOT NULL)
SELECT standby, bytes FROM seen
UNION ALL
SELECT slot_name::text, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint
  FROM pg_replication_slots
 WHERE slot_type = 'physical' AND active AND restart_lsn IS NOT NULL AND NOT EXISTS (SELECT FROM seen)
 ORDER BY bytes DESC
