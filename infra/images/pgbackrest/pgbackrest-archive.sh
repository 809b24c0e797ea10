#!/bin/sh
# archive_command of a server of ours, run by it in PGDATA: pushes one WAL segment. The first push makes pgBackRest's
# stanza, so nothing is ever pushed without one; where the bucket is not there yet, since a stack makes its own last, it
# waits for that. Without a segment it makes the stanza anew, for a backup that found it gone.
# No stanza is made while a segment is pushed: the asynchronous pusher that finds pgBackRest's lock taken at its start
# gives up, and is waited for in vain until archive-timeout.
set -eu

WAIT_SECONDS=300 # after the server's start; from then on a bucket that is not there is a failure for all to see
TRY_SECONDS=15   # or a server that is stopped meanwhile would be killed: pgBackRest itself tries for ten minutes
OUT_OF_TIME=124
OTHER_SERVER=28  # the bucket holds the stanza of another server, or of this one before a major upgrade: no wait helps
known=/var/spool/pgbackrest/stanza

# The control file says all that it needs: it works on a server that is about to end, too.
make_stanza() { "$@" pgbackrest --stanza=main --no-online stanza-create && touch "$known"; }

exec 9> /tmp/pgbackrest/stanza.lock
if [ $# = 0 ]; then
    flock -x 9
    make_stanza command
    exit
fi

told=
while [ ! -e "$known" ]; do
    flock -x 9
    status=0
    said=$(make_stanza timeout "$TRY_SECONDS" 2>&1) || status=$?
    flock -u 9
    [ "$status" != 0 ] || break
    said=$(printf '%s\n' "$said" | sed -n 's/^.*ERROR: \(.*[^:]\):*$/\1/p' | head -n 1)
    [ "$status" != "$OUT_OF_TIME" ] || said="it does not answer"
    [ "$said" = "$told" ] || echo "WAL waits: no stanza of this server in the bucket: $said" >&2
    told=$said
    # Above 125 the server counts no failure, and ends. What waits is pushed after its next start.
    case $(sed -n 8p postmaster.pid) in stopping*) exit 126 ;; esac
    age=$(($(date +%s) - $(sed -n 3p postmaster.pid)))
    if [ "$status" = "$OTHER_SERVER" ] || [ "$age" -gt "$WAIT_SECONDS" ]; then exit 1; fi
    sleep 1
done
flock -s 9 # the asynchronous pusher inherits it
exec pgbackrest --stanza=main archive-push "$1"
