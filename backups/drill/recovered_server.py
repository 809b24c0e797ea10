"""Recovery inside the container of an idle server, for drills where there is no Docker command.

The idle server has the stack's own image and holds no data. Its superuser runs `beside.sh` there
(infra/images/pgbackrest), in the way that pgBackRest is run on the live server's machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from backups.errors import DumpError, RestoreError
from backups.physical.pgbackrest import run_program
from backups.progress import LineListener
from schema.connection import UNLIMITED, Address
from schema.errors import ServerUnreachableError

FOLDER = "/var/lib/postgresql/data/beside"
PORT = 5433
LOGIN = "lcdb_drill"
START_SECONDS = 6 * 3600
APPLICATION = "lifecompanion drill"


@dataclass(frozen=True)
class Server:
    """A recovered server: a superuser's login, its first own transaction id, the seconds of each phase."""

    address: Address
    next_transaction: int
    seconds: dict[str, float]


@contextmanager
def use_idle_server(idle: Address) -> Iterator[str]:
    """Remove what an earlier drill left in the idle server's container, and this one's at the end of the block."""
    _run(idle, "stop")
    try:
        yield idle.host
    finally:
        with suppress(RestoreError, ServerUnreachableError):  # else the next drill does it
            _run(idle, "stop")


def recover_on_idle_server(idle: Address, point: str, backup: str, database: str, listener: LineListener
                           ) -> Server:
    """Recover a backup to a named restore point in the idle server's container. Raises RestoreError."""
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
