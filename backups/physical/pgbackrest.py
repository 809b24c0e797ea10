"""Running pgBackRest on the server's machine: take a backup, read it back, delete it, list the repository.

The server itself runs it (COPY FROM PROGRAM, which needs the administrator's login), so it works alike from this
machine, from the container of the schedule, and on a host whose administrator installed pgBackRest. This module imports
no library for the bucket, so that a backup starts before they are loaded.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg

from backups.config import BackupConfig
from backups.errors import BackupError, BusyError, DamagedError, DumpError

STANZA = "main"
# What pushes WAL in a server of ours, and makes the stanza before that (infra/images/pgbackrest). pgBackRest takes no
# backup where its own name is not in archive_command.
ARCHIVER = "pgbackrest-archive.sh"
# How long a host's archiver may keep others from making the stanza anew; without one it tries each segment again.
ARCHIVER_SECONDS = 60
# pgBackRest's words for a server that is not the one, by its number and major version, that the stanza was made for.
OTHER_SERVER = "do not match stanza version"
LOG = "; see the server's log"
Type = Literal["full", "diff", "incr"]


@dataclass(frozen=True)
class PhysicalBackup:
    """One backup as pgBackRest describes it.

    `stop` is the earliest time that it can be recovered to, `start_wal` the first segment that its recovery replays,
    `needs` the older backups that it depends on.
    """

    id: str
    type: str
    start: datetime
    stop: datetime
    bytes: int
    stored_bytes: int
    postgresql: str
    error: bool
    start_wal: str
    needs: tuple[str, ...] = ()


def require_physical(config: BackupConfig) -> Mapping[str, Any]:
    """The settings of pgBackRest. Raises BackupError where the stack takes no physical backups."""
    if config.physical is None:
        raise BackupError("physical backup: this stack has none; set lifecompanion:physicalBackups and bring it up, or "
                          "take a logical one with --kind logical")
    return config.physical


def take_backup(connection: psycopg.Connection[Any], type_: Type) -> PhysicalBackup:
    """Take a full, differential or incremental backup; the stanza is created where there is none.

    An interrupted backup of the same kind is resumed. It ends when its WAL is in the repository. Raises BusyError while
    another one runs, DumpError with pgBackRest's message, or where the repository belongs to another server.
    """
    # Which old backups go is decided by `prune`, which looks at what is proven first.
    command = f"pgbackrest --stanza={STANZA} --type={type_} --no-expire-auto backup"
    try:
        run_program(connection, command)
    except DumpError as error:
        if OTHER_SERVER in str(error):
            raise DumpError(
                f"physical backup: the bucket holds another server's: {str(error).removesuffix(LOG)}; after a major "
                f"upgrade run `pgbackrest --stanza={STANZA} stanza-upgrade` beside the server, as its user; else give "
                "the stack another bucket") from None
        # Asked only now: all backups but the first have one, and each question costs a login to the bucket.
        if connection.closed or _has_stanza(connection):
            raise
        _make_stanza(connection)
        run_program(connection, command)
    return read_physical(connection)[-1]


def verify_backup(connection: psycopg.Connection[Any], labels: Sequence[str]) -> dict[str, str]:
    """Have pgBackRest read a backup (the last label), those it depends on and their WAL; returns its counts by label.

    Raises DamagedError that names the first wrong backup and the number of its wrong files.
    """
    lines = [line.strip() for line in run_program(
        connection, f"pgbackrest --stanza={STANZA} --set={labels[-1]} --output=text --verbose verify")]
    valid_files = {}
    for label in labels:
        valid = f"backup: {label}, status: valid, "
        line = next((line for line in lines if line.startswith(valid)), None)
        if line is None:
            about = next((n for n, line in enumerate(lines) if line.startswith(f"backup: {label},")), None)
            words = "; ".join(lines[about:about + 2]) if about is not None else "it does not know it"
            raise DamagedError(f"backup {label}: pgBackRest found it damaged: {words[:200]}; take a full backup")
        valid_files[label] = line.removeprefix(valid)
    if "status: ok" not in lines:
        raise DamagedError(f"backup {labels[-1]}: pgBackRest found its WAL damaged: {'; '.join(lines[:4])[:200]}"
                           "; take a full backup")
    return valid_files


def expire(connection: psycopg.Connection[Any], full: str, remaining: int) -> None:
    """Have pgBackRest delete a full backup, those that depend on it, and the WAL that no remaining backup needs.

    `remaining` is the number of full backups that stay.
    """
    # Its own count is set aside, or it would take the WAL of those that `prune` keeps beyond it.
    run_program(connection, f"pgbackrest --stanza={STANZA} --set={full} --repo1-retention-full={remaining} expire")


def read_progress(connection: psycopg.Connection[Any]) -> tuple[int, int]:
    """Bytes copied and bytes in all of the running backup; 0 and 0 where none runs."""
    for stanza in _info(connection):
        lock = stanza.get("status", {}).get("lock", {}).get("backup", {})
        if lock.get("size"):
            return int(lock.get("size-cplt", 0)), int(lock["size"])
    return 0, 0


def read_physical(connection: psycopg.Connection[Any]) -> list[PhysicalBackup]:
    """The backups in the repository, oldest first; none where there is no stanza yet."""
    stanzas = _info(connection)
    backups = [backup for stanza in stanzas for backup in stanza.get("backup", [])]
    versions = {db["id"]: db["version"] for stanza in stanzas for db in stanza.get("db", [])}
    return [PhysicalBackup(
        backup["label"], backup["type"], _moment(backup["timestamp"]["start"]), _moment(backup["timestamp"]["stop"]),
        int(backup["info"]["size"]), int(backup["info"]["repository"]["delta"]),
        str(versions.get(backup["database"]["id"], "")), bool(backup.get("error")), backup["archive"]["start"],
        tuple(backup.get("reference") or ())) for backup in backups]


def _make_stanza(connection: psycopg.Connection[Any]) -> None:
    row = connection.execute("SHOW archive_command").fetchone()
    if row and str(row[0]).startswith(ARCHIVER):
        run_program(connection, ARCHIVER)  # it keeps pushes away meanwhile
        return
    # Where there is no stanza no backup can be going on: whoever has the lock is the host's archiver, for a moment.
    until = time.monotonic() + ARCHIVER_SECONDS
    while True:
        try:
            run_program(connection, f"pgbackrest --stanza={STANZA} stanza-create")
        except BusyError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)
        else:
            return


def _has_stanza(connection: psycopg.Connection[Any]) -> bool:
    # 0: all is well, 2: no backup yet; anything else is for stanza-create to mend or to explain.
    return any(stanza.get("db") and stanza.get("status", {}).get("code") in (0, 2) for stanza in _info(connection))


def _info(connection: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    output = "".join(run_program(connection, f"pgbackrest --stanza={STANZA} info --output=json"))
    stanzas: list[dict[str, Any]] = json.loads(output or "[]")
    return stanzas


def run_program(connection: psycopg.Connection[Any], command: str) -> list[str]:
    """Run a program on the server's machine as its user; returns the lines that it wrote.

    Raises BusyError where another pgBackRest holds the lock, DumpError with the program's error.
    """
    table = f"said_{secrets.token_hex(4)}"
    connection.execute(f"CREATE TEMP TABLE {table} (number bigint GENERATED ALWAYS AS IDENTITY, line text)".encode())
    try:
        # The exit status comes as a line of its own: what the program said would be lost with an error of COPY's.
        connection.execute(f"COPY {table} (line) FROM PROGRAM '{command} 2>&1; s=$?; echo; echo \"exit $s\"' "
                           "WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')".encode())
        lines = [str(row[0] or "") for row in connection.execute(f"SELECT line FROM {table} ORDER BY number".encode())]
    except psycopg.Error as error:
        reason = " ".join((error.diag.message_primary or str(error)).split())
        raise DumpError(f"pgBackRest: the server does not run it: {reason}; give the administrator's login") from None
    finally:
        if not connection.closed:
            connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
    if lines[-1:] != ["exit 0"]:
        reason = next((line for line in lines if "ERROR" in line), " ".join(lines))[:300]
        if "unable to acquire lock" in reason:
            raise BusyError("pgBackRest: another run of it is going on; wait for its end")
        raise DumpError(f"pgBackRest: {reason.split('ERROR: ')[-1]}{LOG}")
    return lines[:-1]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
