"""A server recovered beside an idle one, for a drill where there is no Docker: the idle one is asked to make it.

The idle server is a container of the stack with the server's own image, and holds nothing; its superuser runs
`beside.sh` there (infra/images/pgbackrest), as pgBackRest is run beside the live server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from backups.errors import DumpError, RestoreError
from backups.physical.pgbackrest import run_program
from schema.connection import UNLIMITED, Address
from schema.errors import ServerUnreachableError

FOLDER = "/var/lib/postgresql/data/beside"
PORT = 5433
LOGIN = "lcdb_drill"
START_SECONDS = 6 * 3600
APPLICATION = "lifecompanion drill"


@dataclass(frozen=True)
class Server:
    """A server that was recovered: a superuser's login, the first transaction of its own, seconds by phase."""

    address: Address
    next_transaction: int
    seconds: dict[str, float]


@contextmanager
def use_idle_server(idle: Address) -> Iterator[str]:
    """Whatever an earlier drill left beside the idle server goes now, and what this one makes goes at its end."""
    _run(idle, "stop")
    try:
        yield idle.host
    finally:
        with suppress(RestoreError, ServerUnreachableError):  # else the next drill does it
            _run(idle, "stop")


def recover_on_idle_server(idle: Address, point: str, backup: str, database: str, listener: Callable[[str], None]
                           ) -> Server:
    """Recover a backup to a named restore point beside the idle server. Raises RestoreError."""
    since = time.monotonic()
    listener("restoring the files")
    _run(idle, "restore", RESTORE_TYPE="name", RESTORE_TARGET=point, RESTORE_SET=backup)
    restored = time.monotonic()
    listener("replaying WAL")
    *_, transaction, password = _run(idle, "start", BESIDE_SECONDS=str(START_SECONDS))
    address = replace(idle, port=PORT, database=database, user=LOGIN, password=password)
    return Server(address, int(transaction), {"restore": round(restored - since, 2),
                                              "replay": round(time.monotonic() - restored, 2)})


def _run(idle: Address, word: str, **environment: str) -> list[str]:
    """Have the script run beside the idle server; the lines it wrote that say something."""
    settings = {"BESIDE": FOLDER, "BESIDE_PORT": str(PORT), **environment}
    command = " ".join([*(f"{key}={value}" for key, value in settings.items()), "beside.sh", word])
    with idle.connect(application_name=APPLICATION, options=UNLIMITED) as connection:
        try:
            return [line for line in run_program(connection, command) if line.strip()]
        except DumpError as error:
            raise RestoreError(f"drill server {idle.host}: {error}") from None
