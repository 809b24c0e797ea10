"""A snapshot that is taken while its backup gets everything else ready."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from backups.logical.snapshot import APPLICATION, Source, answers_alone, explain_errors, take_snapshot
from schema.connection import Address


@dataclass(frozen=True)
class PendingSnapshot:
    """A snapshot that is being taken; first it is known whether the server answers one connection `alone`.

    There no snapshot is taken yet, and the source is None: pg_dump could not see it (`one_connection`).
    """

    alone: Future[bool]
    source: Future[Source | None]


@contextmanager
def begin_snapshot(address: Address, image: str | None = None, digest: str | None = None) -> Iterator[PendingSnapshot]:
    """The same as `snapshot_of` by a thread, for whoever has something else to get ready meanwhile."""
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
