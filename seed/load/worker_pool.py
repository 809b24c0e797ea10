"""Several connections that load portions in parallel; a failure or an interruption stops all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import psycopg

from schema.connection import Address
from seed.load.tables import Connection

Task = Callable[[Connection], None]
APPLICATION = "lifecompanion seed"
# Rows and ledger go into one transaction: a crash that loses its last commits loses both, so nobody waits for the disk.
# Two indexes are built at a time: each takes half of the server's parallel workers, whose sorts go by the disk.
_SETTINGS = """
SELECT set_config('synchronous_commit', 'off', false),
       set_config('max_parallel_maintenance_workers', least(
           current_setting('max_parallel_maintenance_workers')::integer,
           current_setting('max_parallel_workers')::integer / 2)::text, false)"""

# A client that went without a word is noticed within a minute too: until then its session would hold its locks, the
# one against a second load among them, and servers that are not told otherwise hold on for two hours.
SERVER_KEEPALIVES = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}


# A hypertable's foreign key is checked chunk by chunk when it is made, and before that once more over all of them: this
# has the first query look at the hypertable itself, which has no rows. (Not all versions have the setting.)
_ONE_CHECK = """
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'timescaledb.enable_foreign_key_propagation'"""


def prepare(connection: Connection) -> None:
    """Set TCP keepalives, so that the server ends an abandoned session, and have foreign keys checked once, not twice.
    """
    for name, value in SERVER_KEEPALIVES.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
    connection.execute(_ONE_CHECK)


class WorkerPool:
    """`size` connections; where it is 1, the caller's own, as on a server that accepts no second one."""

    def __init__(self, address: Address, connection: Connection, size: int) -> None:
        """`connection` is the caller's own, used where `size` is 1."""
        self._address, self._own, self._size = address, connection, size
        self._stop = threading.Event()
        self._open: list[Connection] = []
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def run(self, tasks: Iterable[Task]) -> None:
        """Run the tasks in roughly their order over the connections; the first failure stops them and is raised.

        On Ctrl-C, running statements are cancelled at the server and their transactions rolled back.
        """
        if self._size == 1:
            for task in tasks:
                task(self._own)
            return
        queue = iter(tasks)
        with ThreadPoolExecutor(self._size, thread_name_prefix="seed") as threads:
            workers = [threads.submit(self._work, queue) for _ in range(self._size)]
            try:
                wait(workers, return_when=FIRST_EXCEPTION)
            finally:
                self._stop_if_any(workers)
        if self._failure:
            raise self._failure

    def _work(self, queue: Iterator[Task]) -> None:
        try:
            with self._connect() as connection:
                while not self._stop.is_set():
                    with self._lock:
                        task = next(queue, None)
                    if task is None:
                        return
                    task(connection)
        except BaseException as error:
            with self._lock:
                # The first is the cause; the others were cancelled because of it.
                self._failure = self._failure or error
            raise

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._address.connect(application_name=APPLICATION) as connection:
            connection.execute(_SETTINGS)
            prepare(connection)
            with self._lock:
                self._open.append(connection)
            try:
                yield connection
            finally:
                with self._lock:
                    self._open.remove(connection)

    def _stop_if_any(self, workers: list[Future[None]]) -> None:
        """End the workers that still run: one of them failed, or the user interrupts."""
        if all(worker.done() and not worker.exception() for worker in workers):
            return
        self._stop.set()
        with self._lock:
            running = list(self._open)
        for connection in running:
            try:
                connection.cancel_safe(timeout=5)
            except psycopg.Error:
                continue
