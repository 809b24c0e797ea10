"""A connection used again and again, which is closed in between where the server answers but one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection

from backups.logical.snapshot import answers_alone


class Sessions:
    """Hands out its connection; others can log in meanwhile only where the server is not `alone` with it."""

    def __init__(self, connect: Callable[[], Connection[Any]]) -> None:
        self._connect = connect
        self._connection: Connection[Any] | None = connect()
        self.alone = answers_alone(self._connection)

    @contextmanager
    def enter(self) -> Iterator[Connection[Any]]:
        """The connection, for as long as the block lasts. Raises ServerUnreachableError."""
        connection = self._connection or self._connect()
        self._connection = connection
        try:
            yield connection
        finally:
            if self.alone:
                self.close()

    def close(self) -> None:
        """End the session, if there is one just now."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()


@contextmanager
def open_sessions(connect: Callable[[], Connection[Any]]) -> Iterator[Sessions]:
    """Log in; close what is open at the end."""
    opened = Sessions(connect)
    try:
        yield opened
    finally:
        opened.close()
