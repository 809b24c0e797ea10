#!/bin/sh
# Entry point of a server whose WAL pgBackRest archives. The settings, which hold the bucket's keys, come as a file that
# only root can read; the server's user is handed a copy of its own.
# With RESTORE_TYPE set and an empty PGDATA it first restores: RESTORE_TYPE is time, name, lsn, xid, immediate or default,
# RESTORE_TARGET the point. A restore that was cut off begins again. Its jobs stay off until they are released.
set -eu

as_postgres() { if command -v gosu >/dev/null; then gosu postgres "$@"; else su-exec postgres "$@"; fi; }

mkdir -p /etc/pgbackrest /var/spool/pgbackrest /var/log/pgbackrest /tmp/pgbackrest
install -o postgres -m 600 /run/lifecompanion/pgbackrest.conf /etc/pgbackrest/pgbackrest.conf
chown postgres /etc/pgbackrest /var/spool/pgbackrest /var/log/pgbackrest /tmp/pgbackrest

if [ -n "${RESTORE_TYPE:-}" ] && [ ! -e "$PGDATA/.restored" ]; then
    mkdir -p "$PGDATA"
    find "$PGDATA" -mindepth 1 -delete
    chown postgres "$PGDATA"
    chmod 700 "$PGDATA"
    if [ "$RESTORE_TYPE" = default ]; then
        as_postgres pgbackrest --stanza=main --type=default restore
    else
        as_postgres pgbackrest --stanza=main --type="$RESTORE_TYPE" --target="$RESTORE_TARGET" \
            --target-action=promote ${RESTORE_SET:+--set="$RESTORE_SET"} restore
    fi
    # Before the first start: a policy that ran once on the copy would have deleted what it was restored for.
    echo "timescaledb.max_background_workers = 0" >> "$PGDATA/postgresql.auto.conf"
    as_postgres touch "$PGDATA/.restored"
fi
if [ -n "${RESTORE_TYPE:-}" ]; then
    # No less than the source had, whatever we were told: recovery stops at WAL that wants more.
    for setting in $(as_postgres env LC_ALL=C pg_controldata -D "$PGDATA" | sed -n \
            -e 's/^max_prepared_xacts setting: */max_prepared_transactions=/p' \
            -e 's/^max_locks_per_xact setting: */max_locks_per_transaction=/p' \
            -e 's/^\(max_connections\|max_worker_processes\|max_wal_senders\) setting: */\1=/p'); do
        set -- "$@" -c "$setting"
    done
fi
exec docker-entrypoint.sh "$@"
