"""COPY out of the server by psql, many tables over one connection: one stream, cut at marks that no row can be.

psql does in C what has to be done for each row. The text of rows never holds a form feed, for which COPY writes a
backslash and an f; so a line that begins with one is a mark of ours. psql stops at the first error, so a mark stands
only after a table's last row.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from backups.errors import DumpError
from backups.programs import Programs
from backups.source import SETTINGS, Source, SourceTable
from schema.connection import Address

# What is in work at a time fits into a core's own cache, with what the server and zstd need beside it.
BLOCK_BYTES = 1 << 18
WRITE_BYTES = 1 << 17
GATHER_SECONDS = 0.001
MARK = b"\f"
# No row, but memory once had and given back. From then on glibc keeps what the server's process frees, instead of
# giving it to the system after each long row and having it zeroed anew for the next: a third of the time of compressed
# chunks.
WARMED_UP = "SELECT WHERE length(repeat(' ', 16777216)) = 0;"
# Told beside the one that is being read: else the server would wait for us between two tables.
AHEAD = 1
# Takes the place of what it is given with what came; returns how many bytes, none at the end.
Reader = Callable[[memoryview], int]


class Sink(Protocol):
    """Takes the rows of one table, then hears how many there were; `abandon` where they never come to an end.

    What `write` is given is valid until it returns.
    """

    def write(self, data: memoryview) -> None: ...
    def finish(self, rows: int) -> None: ...
    def abandon(self) -> None: ...


class TableQueue:
    """Tables that wait to be read by whoever is free, the largest first: so all readers end at about the same time.

    Before them come those whose length nobody knows.
    """

    def __init__(self, tables: Sequence[SourceTable]) -> None:
        self.tables = tuple(sorted(tables, key=lambda table: (not table.compressed, -table.bytes)))
        self._waiting = iter(self.tables)
        self._lock = threading.Lock()

    def take(self) -> SourceTable | None:
        """The next one; None when all are taken."""
        with self._lock:
            return next(self._waiting, None)


def copy_out(programs: Programs, address: Address, source: Source, queue: TableQueue,
             sink: Callable[[SourceTable], Sink]) -> None:
    """Stream tables into a sink of its own each, until none waits. Raises DumpError unless every last row came."""
    with programs.run("psql", ["-XqAt", "-v", "ON_ERROR_STOP=1"], address, stdin=subprocess.PIPE,
                      pipe_bytes=BLOCK_BYTES, write_bytes=WRITE_BYTES) as psql:
        session = _Session(psql, queue)
        session.tell(_preamble(source, queue.tables))
        whole = _distribute(session, sink)
        if psql.wait() != 0 or not whole:
            raise DumpError(f"database {address.database}: psql ended before the last row: {said(psql)}; "
                            "run the backup again")


def said(process: subprocess.Popen[bytes]) -> str:
    """The first line of what a program complained of, or its exit status."""
    text = process.stderr.read().decode(errors="replace") if process.stderr else ""
    lines = [line for line in text.splitlines() if line.strip()]
    worst = next((line for line in lines if "ERROR" in line or "FATAL" in line or "error:" in line), None)
    return (worst or next(iter(lines), f"exit status {process.returncode}"))[:300]


class _Session:
    """One psql that is told, table by table, what to copy out."""

    def __init__(self, psql: subprocess.Popen[bytes], queue: TableQueue) -> None:
        assert psql.stdin
        assert psql.stdout
        self._stdin, self._stdout, self._queue = psql.stdin, psql.stdout.fileno(), queue
        self._told: list[SourceTable] = []
        self._ended = False

    def tell(self, text: str) -> None:
        data = text.encode()
        try:
            while data:
                data = data[os.write(self._stdin.fileno(), data):]
        except BrokenPipeError:
            self._ended = True  # it has stopped at an error, of which its exit tells

    def current(self) -> SourceTable | None:
        """The table whose rows come next, the following ones told; None at the end."""
        while not self._ended and len(self._told) <= AHEAD:
            table = self._queue.take()
            if table is None:
                self.tell("COMMIT;\n")
                self._stdin.close()
                self._ended = True
            else:
                self.tell(f"{table.copy};\n\\echo '\\f{table.oid}'\n")
                self._told.append(table)
        return self._told[0] if self._told else None

    def finished(self) -> None:
        """The current table's mark was seen."""
        del self._told[0]

    def read(self, room: memoryview) -> int:
        """What psql has written so far.

        Where it writes but 4 KiB at a time, waking up for each of them would cost more than compressing: so it gets a
        millisecond ahead, for which its pipe has room.
        """
        count = os.readv(self._stdout, [room])
        if count < BLOCK_BYTES // 4:
            time.sleep(GATHER_SECONDS)
        return count


def _preamble(source: Source, tables: Sequence[SourceTable]) -> str:
    lines = [WARMED_UP, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;",
             f"SET TRANSACTION SNAPSHOT '{source.snapshot}';",
             *(f"{setting};" for setting in SETTINGS
               if "transaction_timeout" not in setting or source.server.server_version >= 170000)]
    if tables:
        # At once, before anybody queues behind the snapshot's own locks; waiting for him would be waiting for ever.
        lines.append(f"LOCK TABLE {', '.join('ONLY ' + t.full_name for t in tables)} IN ACCESS SHARE MODE NOWAIT;")
    return "\n".join([*lines, ""])


def _distribute(session: _Session, sink: Callable[[SourceTable], Sink]) -> bool:
    """Feed the sinks; whether the mark of the last table was reached."""
    table = session.current()
    current = sink(table) if table else None
    try:
        for data, mark in split(session.read):
            if table is None or current is None:
                raise DumpError("psql: more rows than tables; report this")
            if data:
                current.write(data)
            if mark is not None:
                if mark[0] != table.oid:
                    raise DumpError(f"table {table.full_name}: psql went on to another before it; report this")
                done, current = current, None
                done.finish(mark[1])
                session.finished()
                table = session.current()
                current = sink(table) if table else None
    finally:
        if current is not None:
            current.abandon()
    return table is None


def split(read: Reader) -> Iterator[tuple[memoryview, tuple[int, int] | None]]:
    """Cut a stream at its marks: pieces of rows, each with the mark (oid and rows) that it ends at, if it does.

    All pieces lie in one buffer, which the next one writes over: rows are neither copied nor is memory asked for.
    """
    buffer = bytearray(BLOCK_BYTES)
    view, kept, rows = memoryview(buffer), 0, 0
    while count := read(view[kept:]):
        end, start = kept + count, 0
        while (found := buffer.find(MARK, start, end)) >= 0 and (line := buffer.find(b"\n", found, end)) >= 0:
            rows += buffer.count(b"\n", start, found)
            yield view[start:found], (int(buffer[found + 1:line]), rows)
            start, rows = line + 1, 0
        # A mark whose end has not come yet waits for the next block.
        stop = found if found >= 0 else end
        if stop > start:
            rows += buffer.count(b"\n", start, stop)
            yield view[start:stop], None
        kept = end - stop
        view[:kept] = view[stop:end]
    if kept:
        yield view[:kept], None
