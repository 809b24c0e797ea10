"""Physical backups by pgBackRest, which runs beside the server: its settings, its runs, what it holds.

The server itself is asked to run it (COPY FROM PROGRAM, which needs the administrator's login): so it is the same from
this machine, from the container that keeps the schedule, and on a host whose administrator set pgBackRest up.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg

from backups.catalogue import KEYS
from backups.config import BackupConfig, Retention
from backups.encryption import Keyring
from backups.errors import BackupError, BusyError, DumpError, WrongKeyError
from backups.s3 import S3Login
from backups.store import Store

PHYSICAL = "physical"
STANZA = "main"
CONF = "/etc/pgbackrest/pgbackrest.conf"
CA_FILE = "/run/lifecompanion/s3-ca.pem"
DATA = "/var/lib/postgresql/data"
# The recovery point is at most this far behind: a WAL segment is closed by then, however little is in it.
ARCHIVE_TIMEOUT_SECONDS = 60
PARAMETERS: Mapping[str, str] = {
    "archive_mode": "on", "archive_command": f"pgbackrest --stanza={STANZA} archive-push %p",
    "archive_timeout": f"{ARCHIVE_TIMEOUT_SECONDS}s", "wal_level": "replica",
}
Type = Literal["full", "diff", "incr"]


@dataclass(frozen=True)
class PhysicalBackup:
    """One backup of pgBackRest's. `stop` is the earliest moment that it can be recovered to."""

    id: str
    type: str
    start: datetime
    stop: datetime
    bytes: int
    stored_bytes: int
    postgresql: str
    error: bool


def render_settings(login: S3Login, bucket: str, database: str, cipher: str, retention: Retention, *,
                    prefix: str = "backups/", endpoint: str | None = None, processes: int = 2) -> str:
    """pgbackrest.conf for one server; holds the bucket's keys and the cipher: a secret. Pure."""
    address = urlsplit(endpoint or login.endpoint or f"https://s3.{login.region}.amazonaws.com")
    repository: dict[str, Any] = {
        "type": "s3", "path": f"/{prefix}{database}/{PHYSICAL}", "s3-bucket": bucket, "s3-endpoint": address.hostname,
        "storage-port": address.port or 443, "s3-region": login.region,
        "s3-uri-style": "path" if login.path_style else "host", "s3-key": login.access_key,
        "s3-key-secret": login.secret_key, "s3-token": login.session_token,
        **({} if login.access_key else {"s3-key-type": "auto"}),
        **({"storage-ca-file": CA_FILE} if login.ca_file else {}),
        "cipher-type": "aes-256-cbc", "cipher-pass": cipher, "bundle": "y", "block": "y",
        "retention-full": max(2, retention.weekly), "retention-diff": retention.daily,
    }
    general = {"compress-type": "zst", "compress-level": 3, "process-max": processes, "archive-async": "y",
               "spool-path": "/var/spool/pgbackrest", "lock-path": "/tmp/pgbackrest",  # noqa: S108 (in its container)
               "log-level-console": "warn", "log-level-file": "off", "start-fast": "y", "archive-timeout": 120}
    lines = ["[global]", *(f"repo1-{key}={value}" for key, value in repository.items() if value is not None),
             *(f"{key}={value}" for key, value in general.items()), "", f"[{STANZA}]", f"pg1-path={DATA}",
             "pg1-user=postgres"]
    return "\n".join(lines) + "\n"


def ensure_cipher(store: Store, ring: Keyring, database: str, cipher: str) -> None:
    """Put the repository's cipher into the bucket, closed with the current key; nothing to do where it is there."""
    key = f"{database}/{PHYSICAL}-{KEYS}{ring.current}"
    if store.get(key) is None:
        store.put(key, ring.wrap(cipher.encode(), f"{database}/{PHYSICAL}").encode())


def read_cipher(store: Store, ring: Keyring, database: str) -> str:
    """The repository's cipher from the bucket and the key alone. Raises WrongKeyError."""
    for id_ in ring.ids():
        wrapped = store.get(f"{database}/{PHYSICAL}-{KEYS}{id_}")
        if wrapped:
            return ring.unwrap(id_, wrapped.decode(), f"{database}/{PHYSICAL}").decode()
    raise WrongKeyError(f"physical backups of {database}: no cipher is there that keys {', '.join(ring.ids())} open; "
                        "add the key that they were taken with")


def run_physical(config: BackupConfig, type_: str) -> str:
    """Take a full, differential or incremental backup, and check that WAL arrives; says what was taken.

    Raises BusyError while another one is taken, DumpError with pgBackRest's own words.
    """
    if config.physical is None:
        raise BackupError(f"backup of kind {type_}: this stack has no physical backups; set "
                          "lifecompanion:physicalBackups and bring it up")
    ensure_cipher(config.store(), config.keyring(), config.database_name(), str(config.physical["cipher"]))
    with config.administrator().connect(application_name="lifecompanion backup") as connection:
        connection.execute("SET statement_timeout = 0")
        run_program(connection, f"pgbackrest --stanza={STANZA} stanza-create")
        run_program(connection, f"pgbackrest --stanza={STANZA} check")
        run_program(connection, f"pgbackrest --stanza={STANZA} --type={type_} backup")
        newest = read_physical(connection)[-1]
    return f"physical backup {newest.id}, {newest.stored_bytes / 1e6:.1f} MB stored of {newest.bytes / 1e6:.1f} MB"


def read_physical(connection: psycopg.Connection[Any]) -> list[PhysicalBackup]:
    """What the repository holds, the oldest first; nothing where there is no stanza yet."""
    found = json.loads("".join(run_program(connection, f"pgbackrest --stanza={STANZA} info --output=json")) or "[]")
    backups = [backup for stanza in found for backup in stanza.get("backup", [])]
    versions = {db["id"]: db["version"] for stanza in found for db in stanza.get("db", [])}
    return [PhysicalBackup(
        backup["label"], backup["type"], _moment(backup["timestamp"]["start"]), _moment(backup["timestamp"]["stop"]),
        int(backup["info"]["size"]), int(backup["info"]["repository"]["delta"]),
        str(versions.get(backup["database"]["id"], "")), bool(backup.get("error"))) for backup in backups]


def run_program(connection: psycopg.Connection[Any], command: str) -> list[str]:
    """Run a program beside the server, as its user; the lines it wrote. Raises DumpError with the last one."""
    table = f"said_{secrets.token_hex(4)}"
    connection.execute(f"CREATE TEMP TABLE {table} (number bigint GENERATED ALWAYS AS IDENTITY, line text)".encode())
    try:
        # The exit status comes as a line of its own: what the program said would be lost with an error of COPY's.
        connection.execute(f"COPY {table} (line) FROM PROGRAM '{command} 2>&1; s=$?; echo; echo \"exit $s\"' "
                           "WITH (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02')".encode())
        lines = [str(row[0] or "") for row in connection.execute(f"SELECT line FROM {table} ORDER BY number".encode())]
    except psycopg.Error as error:
        said = " ".join((error.diag.message_primary or str(error)).split())
        raise DumpError(f"pgBackRest: the server does not run it: {said}; give the administrator's login") from None
    finally:
        if not connection.closed:
            connection.execute(f"DROP TABLE IF EXISTS {table}".encode())
    if lines[-1:] != ["exit 0"]:
        said = next((line for line in lines if "ERROR" in line), " ".join(lines))[:300]
        if "unable to acquire lock" in said:
            raise BusyError("pgBackRest: another run of it is going on; wait for its end")
        raise DumpError(f"pgBackRest: {said.split('ERROR: ')[-1]}; see the server's log")
    return lines[:-1]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
