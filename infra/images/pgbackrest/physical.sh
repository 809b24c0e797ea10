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

if [ -n "${RESTORE_TYPE:-}" ]; then
    mkdir -p "$PGDATA"
    chown postgres "$PGDATA"
    chmod 700 "$PGDATA"
    arguments=$(as_postgres recover.sh)
    # shellcheck disable=SC2086 # they are words
    set -- "$@" $arguments
fi
exec docker-entrypoint.sh "$@"
