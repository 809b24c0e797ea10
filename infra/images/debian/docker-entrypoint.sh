#!/bin/sh
# Starts PostgreSQL; on an empty PGDATA it first makes the cluster. A first start that was killed half-way begins again.
set -eu

if [ "${1#-}" != "$1" ]; then set -- postgres "$@"; fi

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown postgres:postgres "$PGDATA" /var/run/postgresql
    chmod 700 "$PGDATA"
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ] && [ -e "$POSTGRES_PASSWORD_FILE" ]; then
        # The file belongs to root; hand over a copy that only the server's user can read.
        install -o postgres -g postgres -m 600 "$POSTGRES_PASSWORD_FILE" /var/run/postgresql/.admin-password
        export POSTGRES_PASSWORD_FILE=/var/run/postgresql/.admin-password
    fi
    exec gosu postgres "$0" "$@"
fi

# PG_VERSION in PGDATA is moved there last: where it is, the cluster is whole; where it is not, nothing of value is.
make_cluster() {
    if [ ! -s "${POSTGRES_PASSWORD_FILE:-}" ]; then
        echo "PGDATA is empty and POSTGRES_PASSWORD_FILE names no readable file: give the superuser's password" >&2
        exit 1
    fi
    making="$PGDATA/.making"
    if [ -e "$making" ]; then
        find "$PGDATA" -mindepth 1 -delete
    elif [ -n "$(ls -A "$PGDATA")" ]; then
        echo "PGDATA holds files but no PG_VERSION: not a cluster, and not ours to delete; give an empty volume" >&2
        exit 1
    fi
    mkdir "$making"
    initdb -D "$making" --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" --encoding=UTF8 --locale=C.UTF-8 \
        --auth-local=peer --auth-host=scram-sha-256 --data-checksums
    # A server on the socket alone: TCP answers only when everything below is done.
    pg_ctl -D "$making" -w -o "-c listen_addresses='' -c shared_preload_libraries=timescaledb" start
    for script in /docker-entrypoint-initdb.d/*; do
        case "$script" in
            *.sql) psql -v ON_ERROR_STOP=1 --no-psqlrc -d postgres -f "$script" ;;
            *.sh) . "$script" ;;
        esac
    done
    pg_ctl -D "$making" -w -m fast stop
    find "$making" -mindepth 1 -maxdepth 1 ! -name PG_VERSION -exec mv {} "$PGDATA" \;
    mv "$making/PG_VERSION" "$PGDATA"
    rmdir "$making"
}

if [ "$1" = postgres ]; then
    if [ ! -s "$PGDATA/PG_VERSION" ]; then make_cluster; fi
    rm -f /var/run/postgresql/.admin-password
fi
exec "$@"
