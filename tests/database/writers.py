"""Writers at a steady rate, each on a connection of its own, who note how long every write took and what failed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.database.servers import Database

# What an application does all day to the tables of tests.database.online_changes.
WRITES = {
    "insert into rooms": "INSERT INTO rooms (name, email, floor) VALUES ('new', gen_random_uuid()::text, 1)",
    "update rooms": "UPDATE rooms SET note = 'seen', updated_at = now() WHERE id = 1 + floor(random() * 200)",
    "insert into samples": "INSERT INTO samples (room_id, at, value) SELECT 1 + n, localtimestamp, n "
                           "FROM generate_series(0, 9) n",
    "update samples": "UPDATE samples SET value = value + 1 WHERE room_id = 1 + floor(random() * 200) "
                      "AND at > localtimestamp - interval '1 day'",
    "insert into meters": "INSERT INTO meters (meter_id, at, kwh, phase) SELECT 1 + n, localtimestamp, n, 1 "
                          "FROM generate_series(0, 9) n",
    # Each in one transaction, which keeps its first lock while it asks for the second.
    "rooms, then samples": "UPDATE rooms SET note = 'read' WHERE id = 1 + floor(random() * 200); "
                           "SELECT pg_sleep(0.01); "
                           "INSERT INTO samples (room_id, at, value) VALUES (1, localtimestamp, 1)",
    "samples, then rooms": "INSERT INTO samples (room_id, at, value) VALUES (1, localtimestamp, 1); "
                           "SELECT pg_sleep(0.01); UPDATE rooms SET note = 'read' WHERE id = 1 + floor(random() * 200)",
}
BOTH_TABLES = ("rooms, then samples", "samples, then rooms")


@dataclass
class Writers:
    """What was written so far: (writer, begin, seconds) of each write, and the failures."""

    done: list[tuple[str, float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def seconds(self, since: float, until: float) -> list[float]:
        """How long each write took that overlapped this time."""
        return [taken for _, begin, taken in list(self.done) if begin < until and begin + taken > since]

    def _write(self, name: str, connection: psycopg.Connection[Any], stopped: threading.Event, every: float) -> None:
        with connection:
            while not stopped.is_set():
                begin = time.monotonic()
                try:
                    connection.execute(WRITES[name].encode())
                except psycopg.Error as error:
                    self.failures.append(f"{name}: {' '.join(str(error).split())}")
                    if connection.closed:
                        return
                taken = time.monotonic() - begin
                self.done.append((name, begin, taken))
                # At a steady rate: what a stall held up is not made up for.
                stopped.wait(max(0.0, every - taken))


@contextmanager
def writing(database: Database, names: Sequence[str] = tuple(WRITES), every: float = 0.04) -> Iterator[Writers]:
    """Writers at work, one for each of these statements."""
    writers, stopped = Writers(), threading.Event()
    connections = [database.owner.connect(application_name="a writer") for _ in names]
    threads = [threading.Thread(target=writers._write, args=[name, connection, stopped, every])
               for name, connection in zip(names, connections, strict=True)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


@contextmanager
def reading(database: Database, seconds: float) -> Iterator[None]:
    """Somebody reads the tables in one long transaction, which ends after `seconds` or with the block."""
    ended = threading.Event()

    def read(connection: psycopg.Connection[Any]) -> None:
        with connection:
            ended.wait(seconds)
            connection.rollback()

    connection = database.owner.connect(autocommit=False, application_name="a reader")
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    for table in ("rooms", "samples", "meters"):
        connection.execute(f"SELECT count(*) FROM {table}".encode())
    thread = threading.Thread(target=read, args=[connection])
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
