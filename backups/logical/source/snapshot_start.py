"""Taking the snapshot in a thread, while the caller prepares everything else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from backups.logical.source.snapshot import APPLICATION, Source, answers_alone, explain_errors, take_snapshot
from schema.connection import Address


@dataclass(frozen=True)
class PendingSnapshot:
    """A snapshot that is being taken; `alone`, known first, says whether the server accepts one connection at a time.

    There the source is None, as pg_dump could not use a snapshot held by another session (`single_connection`).
    """

    alone: Future[bool]
    source: Future[Source | None]


@contextmanager
def begin_snapshot(address: Address, image: str | None = None, digest: str | None = None) -> Iterator[PendingSnapshot]:
    """Like `snapshot_of`, in a thread, for a caller that prepares something else meanwhile."""
    alone: Future[bool] = Future()

    def begin() -> Source | None:
        try:
            connection = held.enter_context(address.connect(application_name=APPLICATION))
            with explain_errors(address):
                alone.set_result(answers_alone(connection))
        except BaseException as error:
            alone.set_exception(error)
            raise
        if alone.result():
            connection.close()
            return None
        return take_snapshot(address, connection, image, digest, alone=False)

    with ExitStack() as held, ThreadPoolExecutor(max_workers=1, thread_name_prefix="snapshot") as pool:
        yield PendingSnapshot(alone, pool.submit(begin))
