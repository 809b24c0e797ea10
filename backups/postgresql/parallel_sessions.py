"""Work on one database over several connections in parallel."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from psycopg import Connection

from backups.progress import ByteListener


def work_side_by_side(sizes: Sequence[int], work: Callable[[Connection[Any], int], Any], *, workers: int,
                      connect: Callable[[], Connection[Any]], tell: ByteListener) -> None:
    """Call `work(connection, number)` for each number of `sizes`, in order, over `workers` connections in parallel.

    `tell` is called with the size done and the size in all. The first failure stops the rest and is raised.
    """
    total, done, lock, stop = sum(sizes) or 1, 0, threading.Lock(), threading.Event()
    connections = threading.local()

    def do(number: int) -> None:
        nonlocal done
        if stop.is_set():
            return
        if not hasattr(connections, "open"):
            connections.open = connect()
            opened.append(connections.open)
        work(connections.open, number)
        with lock:
            done += sizes[number]
            tell(done, total)

    opened: list[Connection[Any]] = []
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="restore") as pool:
        try:
            for future in [pool.submit(do, number) for number in range(len(sizes))]:
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        finally:
            for connection in opened:
                connection.close()
