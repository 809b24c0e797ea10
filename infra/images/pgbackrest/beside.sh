#!/bin/sh
# Asked by the superuser of an idle server (COPY FROM PROGRAM): a second server beside it, recovered from the repository,
# for a drill. `restore` fills its files, `start` lets it replay until it takes writes and tells its first transaction and
# a superuser's password, `stop` ends it and removes it with all it held. Whatever an earlier one left goes first.
set -eu

umask 077
export PGDATA="$BESIDE" PGPORT="$BESIDE_PORT" PGHOST=/tmp

stop() {
    [ ! -e "$PGDATA/postmaster.pid" ] || pg_ctl stop -m immediate -w >/dev/null 2>&1 || true
    rm -rf "$PGDATA"
}

ended() {
    grep -h -e FATAL -e ERROR "$PGDATA.log" | grep -v 'the database system is' | head -n 1
    exit 1
}

case "$1" in
restore)
    stop
    mkdir -m 700 "$PGDATA"
    recover.sh > "$PGDATA.arguments"
    ;;
start)
    # Its archiver stays off: it must never push a timeline of its own into the archive that it was recovered from.
    pg_ctl start -w -t "$BESIDE_SECONDS" -l "$PGDATA.log" -o "-p $PGPORT -k /tmp -c listen_addresses='*' \
        -c hba_file=/etc/lifecompanion/pg_hba.conf -c archive_mode=off -c autovacuum=off -c fsync=off -c timezone=UTC \
        -c shared_preload_libraries=timescaledb,pg_stat_statements $(tr '\n' ' ' < "$PGDATA.arguments")" \
        >/dev/null 2>&1 || ended
    # It answers before it is at its point, and may end before that.
    until [ "$(psql -XAtqc 'SELECT pg_is_in_recovery()' postgres 2>/dev/null)" = f ]; do
        pg_ctl status >/dev/null || ended
        sleep 0.2
    done
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    psql -XAtq -v ON_ERROR_STOP=1 postgres <<SQL
SELECT pg_snapshot_xmax(pg_current_snapshot());
CREATE ROLE lcdb_drill SUPERUSER LOGIN PASSWORD '$password';
SQL
    echo "$password"
    ;;
stop)
    stop
    rm -f "$PGDATA.arguments" "$PGDATA.log"
    ;;
esac
