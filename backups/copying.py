"""COPY out of the server by psql, many tables over one connection: one stream, cut at marks that no row can be.

psql does in C what has to be done for each row. The text of rows never holds a form feed, for which COPY writes a
backslash and an f; so a line that begins with one is a mark of ours. psql stops at the first error, so a mark stands
only after a table's last row.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Protocol

from backups.errors import DumpError
from backups.programs import Programs
from backups.source import SETTINGS, Source, SourceTable
from schema.connection import Address

READ_BYTES = 1 << 20
GATHER_SECONDS = 0.001
MARK = b"\f"


class Sink(Protocol):
    """Takes the rows of one table, then hears that this was all."""

    def write(self, data: bytes) -> None: ...
    def finish(self) -> None: ...


def copy_out(programs: Programs, address: Address, source: Source, tables: Sequence[SourceTable],
             sink: Callable[[SourceTable], Sink]) -> None:
    """Stream each table in turn into a sink of its own. Raises DumpError unless every last row came."""
    with tempfile.TemporaryFile() as script:
        script.write(_script(source, tables).encode())
        script.seek(0)
        with programs.run("psql", ["-XqAt", "-v", "ON_ERROR_STOP=1"], address, stdin=script,
                          pipe_bytes=READ_BYTES) as psql:
            assert psql.stdout
            whole = _distribute(psql.stdout, tables, sink)
            psql.stdout.close()
            status = psql.wait()
            if status != 0 or not whole:
                raise DumpError(f"database {address.database}: psql ended before the last row: {said(psql)}; "
                                "run the backup again")


def said(process: subprocess.Popen[bytes]) -> str:
    """The first line of what a program complained of, or its exit status."""
    text = process.stderr.read().decode(errors="replace") if process.stderr else ""
    lines = [line for line in text.splitlines() if line.strip()]
    worst = next((line for line in lines if "ERROR" in line or "FATAL" in line or "error:" in line), None)
    return (worst or next(iter(lines), f"exit status {process.returncode}"))[:300]


def _script(source: Source, tables: Sequence[SourceTable]) -> str:
    lines = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", f"SET TRANSACTION SNAPSHOT '{source.snapshot}';",
             *(f"{setting};" for setting in SETTINGS
               if "transaction_timeout" not in setting or source.server.server_version >= 170000)]
    if tables:
        # At once, before anybody queues behind the snapshot's own locks; waiting for him would be waiting for ever.
        lines.append(f"LOCK TABLE {', '.join('ONLY ' + t.full_name for t in tables)} IN ACCESS SHARE MODE NOWAIT;")
    for table in tables:
        lines += [f"{table.copy};", f"\\echo '\\f{table.oid}'"]
    return "\n".join([*lines, "COMMIT;", ""])


def _distribute(stream: IO[bytes], tables: Sequence[SourceTable], sink: Callable[[SourceTable], Sink]) -> bool:
    """Feed the sinks; whether the mark of the last table was reached."""
    waiting: Iterator[SourceTable] = iter(tables)
    table = next(waiting, None)
    current = sink(table) if table else None
    for data, mark in split(_blocks(stream)):
        if table is None or current is None:
            raise DumpError("psql: more rows than tables; report this")
        if data:
            current.write(data)
        if mark is not None:
            if mark != table.oid:
                raise DumpError(f"table {table.full_name}: psql went on to another before it; report this")
            current.finish()
            table = next(waiting, None)
            current = sink(table) if table else None
    return table is None


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """What psql has written so far, again and again.

    It writes 4 KiB at a time. Were each of them waited for, waking up would cost more than compressing: so where it is
    behind, it gets some milliseconds ahead, for which its pipe has room.
    """
    while data := stream.read1(READ_BYTES):  # type: ignore[attr-defined]
        yield data
        if len(data) < READ_BYTES // 4:
            time.sleep(GATHER_SECONDS)


def split(blocks: Iterator[bytes]) -> Iterator[tuple[bytes, int | None]]:
    """Cut a stream at its marks: pieces of rows, each with the mark (an oid) that it ends at, if it does.

    A block without a mark is handed on as it came: it is neither searched twice nor copied.
    """
    pending = b""
    for block in blocks:
        rest = pending + block if pending else block
        while (found := rest.find(MARK)) >= 0 and (end := rest.find(b"\n", found)) >= 0:
            yield rest[:found], int(rest[found + 1:end])
            rest = rest[end + 1:]
        # A mark whose end has not come yet waits for the next block.
        pending = rest[found:] if found >= 0 else b""
        if piece := rest[:found] if found >= 0 else rest:
            yield piece, None
    if pending:
        yield pending, None
