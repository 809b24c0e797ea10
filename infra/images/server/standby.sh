#!/bin/sh
# Entry point of a streaming standby, on any image that has docker-entrypoint.sh. The first start takes a base backup of
# the primary; a backup that was cut off, or that is of another cluster than today's primary, is thrown away and taken
# again. Environment: PRIMARY_HOST, SLOT, REPLICATOR. The password is read from /run/lifecompanion/replicator-password.
set -eu

passfile=/var/lib/postgresql/.replicator-pass
whole="$PGDATA/.base-backup-complete"

as_postgres() { if command -v gosu >/dev/null; then gosu postgres "$@"; else su-exec postgres "$@"; fi; }

# In a password file a colon and a backslash stand behind a backslash.
password=$(sed 's/[\\:]/\\&/g' /run/lifecompanion/replicator-password)
printf '%s:5432:*:%s:%s\n' "$PRIMARY_HOST" "$REPLICATOR" "$password" > "$passfile"
chown postgres "$passfile"
chmod 600 "$passfile"
mkdir -p "$PGDATA"
chown postgres "$PGDATA"
chmod 700 "$PGDATA"

primary="host=$PRIMARY_HOST port=5432 user=$REPLICATOR passfile=$passfile application_name=$SLOT"

system_of_primary() {
    as_postgres psql "$primary dbname=postgres replication=true" -XAtc IDENTIFY_SYSTEM 2>/dev/null | cut -d'|' -f1
}
system_of_standby() {
    as_postgres pg_controldata "$PGDATA" | sed -n 's/^Database system identifier: *//p'
}

if [ -e "$whole" ]; then
    # A primary that is down for now says nothing: then what is here stays.
    theirs=$(system_of_primary || true)
    if [ -n "$theirs" ] && [ "$theirs" != "$(system_of_standby)" ]; then
        echo "standby: the primary is another cluster now; taking a new base backup"
        rm -f "$whole"
    fi
fi

while [ ! -e "$whole" ]; do
    find "$PGDATA" -mindepth 1 -delete
    if as_postgres pg_basebackup -d "$primary" -D "$PGDATA" -S "$SLOT" -X stream -R -c fast; then
        as_postgres touch "$whole"
    else
        echo "standby: no base backup yet; trying again in 2 s" >&2
        sleep 2
    fi
done

exec docker-entrypoint.sh "$@"
