"""pgBackRest's configuration on the server, the server's own settings, and the repository's cipher pass in the bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from backups.config import Retention
from backups.errors import WrongKeyError
from backups.logical.catalog import KEYS
from backups.physical.pgbackrest import ARCHIVER, STANZA
from backups.storage.client import S3Login
from backups.storage.encryption import Keyring
from backups.storage.object_store import Store

PHYSICAL = "physical"
CONF = "/etc/pgbackrest/pgbackrest.conf"
CA_FILE = "/run/lifecompanion/s3-ca.pem"
DATA = "/var/lib/postgresql/data"
SPOOL = "/var/spool/pgbackrest"
# The recovery point is at most this far behind: a WAL segment is closed by then, however little is in it.
ARCHIVE_TIMEOUT_SECONDS = 60
# Of a host.
ARCHIVE_PARAMETERS: Mapping[str, str] = {
    "archive_mode": "on", "archive_command": f"pgbackrest --stanza={STANZA} archive-push %p",
    "archive_timeout": f"{ARCHIVE_TIMEOUT_SECONDS}s", "wal_level": "replica",
}
# A server of ours is there before its bucket, and makes its stanza itself.
OWN_ARCHIVE_PARAMETERS: Mapping[str, str] = {**ARCHIVE_PARAMETERS, "archive_command": f"{ARCHIVER} %p"}


@dataclass(frozen=True)
class ServerPaths:
    """Where the server's files are on its machine, by default as in the docker target.

    `socket` and `port` are for servers that pgBackRest would not find by itself.
    """

    data: str = DATA
    ca_file: str = CA_FILE
    socket: str | None = None
    port: int | None = None


def render_settings(login: S3Login, bucket: str, database: str, cipher: str, retention: Retention, *,
                    prefix: str = "backups/", endpoint: str | None = None, processes: int = 2,
                    paths: ServerPaths = ServerPaths()) -> str:
    """The text of pgbackrest.conf for one server; secret, as it contains the bucket's keys and the cipher pass. Pure.
    """
    address = urlsplit(endpoint or login.endpoint or f"https://s3.{login.region}.amazonaws.com")
    repository: dict[str, Any] = {
        "type": "s3", "path": f"/{prefix}{database}/{PHYSICAL}", "s3-bucket": bucket, "s3-endpoint": address.hostname,
        "storage-port": address.port or 443, "s3-region": login.region,
        "s3-uri-style": "path" if login.path_style else "host", "s3-key": login.access_key,
        "s3-key-secret": login.secret_key, "s3-token": login.session_token,
        **({} if login.access_key else {"s3-key-type": "auto"}),
        **({"storage-ca-file": paths.ca_file} if login.ca_file else {}),
        "cipher-type": "aes-256-cbc", "cipher-pass": cipher, "bundle": "y", "block": "y",
        "retention-full": max(2, retention.weekly), "retention-diff": retention.daily,
    }
    general = {"compress-type": "zst", "compress-level": 3, "process-max": processes, "archive-async": "y",
               "spool-path": SPOOL, "lock-path": "/tmp/pgbackrest",  # noqa: S108 (in its container)
               "log-level-console": "warn", "log-level-file": "off", "start-fast": "y", "archive-timeout": 120}
    server = {"path": paths.data, "user": "postgres", "socket-path": paths.socket, "port": paths.port}
    return "\n".join(["[global]", *_lines("repo1-", repository), *_lines("", general), "", f"[{STANZA}]",
                      *_lines("pg1-", server)]) + "\n"


def _lines(prefix: str, values: Mapping[str, Any]) -> list[str]:
    return [f"{prefix}{key}={value}" for key, value in values.items() if value is not None]


def ensure_cipher(store: Store, ring: Keyring, database: str, cipher: str) -> bool:
    """Store the repository's cipher pass in the bucket, encrypted with the current key; False where it is there.

    Raises WrongKeyError where another server's cipher pass is stored.
    """
    key, name = f"{database}/{PHYSICAL}-{KEYS}{ring.current}", f"{database}/{PHYSICAL}"
    wrapped = store.get(key)
    if wrapped is not None:
        try:
            held = ring.unwrap_first([(ring.current, wrapped)], name)
        except WrongKeyError:
            held = None  # of no use to whoever recovers with bucket and key alone
        if held == cipher.encode():
            return False
        if held is not None:
            raise WrongKeyError(f"physical backups of {database}: the cipher in {store} is not this stack's: it holds "
                                "another's physical backups; give the stack another bucket")
    store.put(key, ring.wrap(cipher.encode(), name).encode())
    return True


def read_cipher(store: Store, ring: Keyring, database: str) -> str:
    """Read the repository's cipher pass with the bucket and the keys alone. Raises WrongKeyError."""
    wrapped = {id_: text for id_ in ring.ids() if (text := store.get(f"{database}/{PHYSICAL}-{KEYS}{id_}"))}
    if wrapped:
        return ring.unwrap_first(wrapped.items(), f"{database}/{PHYSICAL}").decode()
    raise WrongKeyError(f"physical backups of {database}: found no cipher that keys {', '.join(ring.ids())} decrypt; "
                        "add the key that they were taken with")


def rewrap_cipher(store: Store, ring: Keyring, database: str) -> bool:
    """Encrypt the repository's cipher pass with the current key as well; False where it is, or where there is none.

    Raises WrongKeyError where no key decrypts it.
    """
    if not any(True for _ in store.objects(f"{database}/{PHYSICAL}-{KEYS}")):
        return False
    return ensure_cipher(store, ring, database, read_cipher(store, ring, database))
