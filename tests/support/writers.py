"""Writers at a steady rate, each on its own connection, which record the duration and the failures of writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg

from schema.connection import Address

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
    """The record: (writer, begin, seconds) of each write, and the failures."""

    done: list[tuple[str, float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def seconds(self, since: float, until: float) -> list[float]:
        """List the durations of the writes that overlapped this time."""
        return [taken for _, begin, taken in list(self.done) if begin < until and begin + taken > since]

    def within(self, since: float, until: float) -> set[str]:
        """Return the writers with a write that began and ended in this time, so that they did not wait all of it."""
        return {name for name, begin, taken in list(self.done) if since < begin and begin + taken < until}

    def _write(self, name: str, statement: str, connection: psycopg.Connection[Any], stopped: threading.Event,
               every: float) -> None:
        with connection:
            while not stopped.is_set():
                begin = time.monotonic()
                try:
                    connection.execute(statement.encode())
                except psycopg.Error as error:
                    self.failures.append(f"{name}: {' '.join(str(error).split())}")
                    if connection.closed:
                        return
                taken = time.monotonic() - begin
                self.done.append((name, begin, taken))
                # At a steady rate: what a stall held up is not made up for.
                stopped.wait(max(0.0, every - taken))


def everybody_writes(writers: Writers, names: Collection[str] = WRITES) -> None:
    """Wait until each writer has written again."""
    since = time.monotonic()
    while writers.within(since, time.monotonic()) != set(names):
        assert time.monotonic() - since < 30, "a writer has stopped"
        time.sleep(0.01)


@contextmanager
def writing(address: Address, names: Sequence[str] = tuple(WRITES), every: float = 0.04,
            statements: Mapping[str, str] = WRITES) -> Iterator[Writers]:
    """Run writers, one for each of these names of statements."""
    writers, stopped = Writers(), threading.Event()
    connections = [address.connect(application_name="a writer") for _ in names]
    threads = [threading.Thread(target=writers._write, args=[name, statements[name], connection, stopped, every])
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
def reading(address: Address, seconds: float) -> Iterator[None]:
    """Read the tables in one long transaction that ends after `seconds` or with the block."""
    ended = threading.Event()

    def read(connection: psycopg.Connection[Any]) -> None:
        with connection:
            ended.wait(seconds)
            connection.rollback()

    connection = address.connect(autocommit=False, application_name="a reader")
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
