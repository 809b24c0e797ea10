"""COPY out of the server: many tables over one connection, each streamed into its own sink.

asyncpg parses the server's messages in C; no Python code runs per row.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg
import psycopg

from backups.errors import DumpError
from backups.logical.source.chunk_rows import END, ChunkQueue, Question
from backups.logical.source.snapshot import APPLICATION, Source, SourceTable, settings
from backups.logical.work_queue import Piece, PieceQueue
from backups.postgresql.asyncpg_login import FAILURES, log_in, one_line
from schema.connection import Address

# Waking the event loop for every message of the server (8 KiB) would cost more than compressing, so the server may get
# two milliseconds ahead; the socket's buffer has room for that.
GATHERED_BYTES = 1 << 17
GATHER_SECONDS = 0.002
# So often is looked whether somebody still wants what a long question finds.
POLL_SECONDS = 0.5
# After a failure, for asyncpg to close what it has opened: it does so in the loop's next turns.
CLOSING_SECONDS = 0.02
# Returns no rows; raises glibc's mmap threshold in the backend by allocating and freeing memory once. From then on the
# backend keeps freed memory instead of returning it after each long row and getting zeroed pages for the next: a third
# of the time of compressed chunks.
WARMED_UP = "SELECT WHERE repeat(repeat(' ', 4096), 4096) = ''"


class Sink(Protocol):
    """Receives the rows of one piece, then their count (`finish`); `abandon` is called instead where reading fails."""

    def write(self, data: bytes) -> None:
        """Take the next bytes of COPY text."""
    def finish(self, rows: int) -> Sink | None:
        """Take the number of rows; returns the sink that must read the piece again, None where it is done."""
    def abandon(self) -> None:
        """Release what was opened: the piece will not be complete."""


@dataclass(frozen=True)
class Reading:
    """What all readers share: the snapshot, the queue of pieces, and the function that makes a sink for a piece.

    After the pieces they read the rows of `chunks`.
    """

    source: Source
    queue: PieceQueue
    sink: Callable[[Piece], Sink]
    chunks: ChunkQueue = field(default_factory=ChunkQueue)


def begin_reading(pool: ThreadPoolExecutor, address: Address, reading: Future[Reading], *, workers: int, alone: bool
                  ) -> list[Future[None]]:
    """Start `workers` threads that read pieces; one, over the snapshot's connection, where it is `alone`.

    Returns a future for each thread.
    """
    if alone:
        return [pool.submit(copy_over_snapshot, reading)]
    return [pool.submit(copy_out, address, reading) for _ in range(workers)]


def copy_over_snapshot(reading: Future[Reading]) -> None:
    """Like `copy_out`, over the connection that holds the snapshot, which nothing else uses meanwhile."""
    given = reading.result()
    while piece := given.queue.take():
        sink: Sink | None = given.sink(piece)
        query = piece.query
        statement = piece.table.copy if query is None else f"COPY ({query}) TO STDOUT"
        while sink:
            try:
                rows = given.source.copy(statement, sink.write)
            except psycopg.Error as error:
                sink.abandon()
                raise _ended_before(given.source.server.database, error) from None
            except BaseException:
                sink.abandon()
                raise
            sink = sink.finish(rows)
    given.source.ask(lambda connection: _ask_of_chunks(connection, given.chunks))


def _ask_of_chunks(connection: psycopg.Connection[Any], chunks: ChunkQueue) -> None:
    """What `_ask_chunks` does, over a connection that is not asyncpg's."""
    while question := chunks.take():
        connection.execute(question.begin.encode())
        try:
            row = connection.execute(question.query.encode()).fetchone()
            assert row
            chunks.keep(question, row)
        except psycopg.Error as error:
            late = isinstance(error, psycopg.errors.QueryCanceled)
            if error.sqlstate is None or not chunks.put_back(question, one_line(error), late=late):
                raise
        connection.execute(END.encode())


def _ended_before(database: str, error: BaseException) -> DumpError:
    return DumpError(f"database {database}: the server ended before the last row: {one_line(error)}; run the backup "
                     "again")


def copy_out(address: Address, reading: Future[Reading]) -> None:
    """Stream pieces of tables, each into its own sink, until the queue is empty.

    Logs in at once and waits for `reading`. Raises DumpError unless every row of every piece arrived.
    """
    try:
        asyncio.run(_copy_out_and_close(address, reading))
    except FAILURES as error:
        raise _ended_before(address.database, error) from None


async def _copy_out_and_close(address: Address, reading: Future[Reading]) -> None:
    try:
        await _copy_out(address, reading)
    except BaseException:
        await asyncio.sleep(CLOSING_SECONDS)
        raise


async def _copy_out(address: Address, reading: Future[Reading]) -> None:
    connection = await log_in(address, APPLICATION)
    try:
        # Before it waits: a login of its own may have a limit for that.
        await connection.execute(settings(connection.get_server_version().major * 10_000))
        await connection.execute(WARMED_UP)
        given = reading.result()  # blocks this thread, whose loop has nothing else to do
        await _enter(connection, given.source, given.queue.tables)
        while piece := given.queue.take():
            sink: Sink | None = given.sink(piece)
            while sink:
                sink = await _copy_piece(connection, piece, sink)
        while question := given.chunks.take():
            await _ask(connection, given.chunks, question)
    finally:
        # At once: a reader that failed has a COPY under way, for whose end nobody waits.
        connection.terminate()


async def _ask(connection: Any, chunks: ChunkQueue, question: Question) -> None:
    """Ask a chunk's rows; where the server does not give them, the question goes back into the queue."""
    await connection.execute(question.begin)
    asked = asyncio.ensure_future(connection.fetchrow(question.query))
    while not (await asyncio.wait([asked], timeout=POLL_SECONDS))[0]:
        if chunks.stopped:
            asked.cancel()
            return
    try:
        chunks.keep(question, asked.result())
    except asyncpg.PostgresError as error:
        late = isinstance(error, asyncpg.QueryCanceledError)
        if not chunks.put_back(question, one_line(error), late=late):
            raise
    await connection.execute(END)


async def _copy_piece(connection: Any, piece: Piece, sink: Sink) -> Sink | None:
    async def write(data: bytes) -> None:
        # Nobody else is in this thread's loop, and the connection is not read meanwhile.
        sink.write(data)
        if len(data) < GATHERED_BYTES:
            time.sleep(GATHER_SECONDS)
    try:
        if (query := piece.query) is not None:
            status = await connection.copy_from_query(query, output=write)
        else:
            status = await connection.copy_from_table(piece.table.name, schema_name=piece.table.schema,
                                                      columns=piece.table.column_names, output=write)
    except BaseException:
        sink.abandon()
        raise
    return sink.finish(int(status.removeprefix("COPY ")))


async def _enter(connection: Any, source: Source, tables: Sequence[SourceTable]) -> None:
    """Begin a transaction that sees what the snapshot does."""
    await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    await connection.execute(f"SET TRANSACTION SNAPSHOT '{source.snapshot}'")
    await connection.execute("SET max_parallel_workers_per_gather = 0")
    if source.server.timescaledb:
        # For queries of a chunk: its compressed rows are a table of their own here (2.29 knows from ONLY, too).
        await connection.execute("SET timescaledb.enable_transparent_decompression = off")
    if tables:
        # At once, before anybody queues behind the snapshot's own locks; waiting for him would be waiting for ever.
        await connection.execute(f"LOCK TABLE {', '.join('ONLY ' + t.full_name for t in tables)} "
                                 "IN ACCESS SHARE MODE NOWAIT")
