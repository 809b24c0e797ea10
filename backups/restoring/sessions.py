"""A connection used repeatedly, and closed between uses where the server accepts one connection at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from backups.logical.source.snapshot import SINCE, answers_alone
from schema.connection import UNLIMITED, Address

APPLICATION = "lifecompanion restore"


def log_in(address: Address, options: str = UNLIMITED, *, amid_restore: bool = False) -> Connection[Any]:
    """A connection that no limit of the administrator's own ends half-way; `amid_restore` as in `Address.connect`."""
    connection = address.connect(application_name=APPLICATION, options=options, amid_restore=amid_restore)
    if connection.info.server_version >= SINCE["transaction_timeout"]:
        connection.execute("SET transaction_timeout = 0")
    return connection


class Sessions:
    """Lends its connection; others can log in meanwhile only where the server is not `alone` with it."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        """Log in with `connect`, and ask whether the server accepts other connections."""
        self._connect = connect
        self._connection: Connection[Any] | None = connect()
        self.alone = answers_alone(self._connection)

    @contextmanager
    def enter(self) -> Iterator[Connection[Any]]:
        """The connection, for the duration of the block. Raises ServerUnreachableError."""
        connection = self._connection or self._connect()
        self._connection = connection
        try:
            yield connection
        finally:
            if self.alone:
                self.close()

    def close(self) -> None:
        """Close the connection if it is open."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


@contextmanager
def open_sessions(connect: Callable[[], Connection[Any]]) -> Iterator[Sessions]:
    """Log in, and close the connection at the end of the block."""
    opened = Sessions(connect)
    try:
        yield opened
    finally:
        opened.close()
