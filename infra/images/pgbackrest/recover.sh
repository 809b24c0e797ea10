#!/bin/sh
# As the server's user: fills PGDATA from the repository as RESTORE_TYPE, RESTORE_TARGET and RESTORE_SET say, and prints,
# as arguments for the server, what recovery needs no less of than the source had: it stops at WAL that wants more.
set -eu

if [ ! -e "$PGDATA/.restored" ]; then
    find "$PGDATA" -mindepth 1 -delete
    if [ "$RESTORE_TYPE" = default ]; then
        pgbackrest --stanza=main --pg1-path="$PGDATA" --type=default restore >&2
    else
        pgbackrest --stanza=main --pg1-path="$PGDATA" --type="$RESTORE_TYPE" --target="$RESTORE_TARGET" \
            --target-action=promote ${RESTORE_SET:+--set="$RESTORE_SET"} restore >&2
    fi
    # Before the first start: a policy that ran once on the copy would have deleted what it was restored for.
    echo "timescaledb.max_background_workers = 0" >> "$PGDATA/postgresql.auto.conf"
    touch "$PGDATA/.restored"
fi
LC_ALL=C pg_controldata -D "$PGDATA" | sed -n \
    -e 's/^max_prepared_xacts setting: */-c max_prepared_transactions=/p' \
    -e 's/^max_locks_per_xact setting: */-c max_locks_per_transaction=/p' \
    -e 's/^\(max_connections\|max_worker_processes\|max_wal_senders\) setting: */-c \1=/p'
