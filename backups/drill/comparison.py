"""Comparing a restored database with the manifest: every table and chunk is read again and hashed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain

from backups.drill.chunk_comparison import compare_chunks, describe_unread, queue_chunks
from backups.drill.row_hashes import COMPRESSED, FILTERS, holds_rows
from backups.logical.copy_out import Reading, begin_reading
from backups.logical.manifest import Manifest, TableData, count_rows
from backups.logical.reader import Opened
from backups.logical.source.snapshot import Source, SourceTable, snapshot_of
from backups.logical.work_queue import Piece, PieceQueue
from schema.connection import Address


@dataclass
class Comparison:
    """The number of tables, and of rows as queries give them, that were compared, and a line for each difference.

    `unread` has a line for what was compared as it is stored alone, not as a query gives it.
    """

    tables: int = 0
    rows: int = 0
    differences: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


class _Digest:
    def __init__(self, piece: Piece, keep: Callable[[SourceTable, int, str], None]) -> None:
        self._table, self._keep = piece.table, keep
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._digest.update(data)

    def finish(self, rows: int) -> None:
        self._keep(self._table, rows, self._digest.hexdigest())

    def abandon(self) -> None:
        """Nothing to give back."""


def compare(manifest: Manifest, address: Address, *, image: str | None = None, workers: int = 2,
            opened: Opened | None = None) -> Comparison:
    """Read every table and chunk of a freshly restored database and compare its text with the manifest's.

    The server may place a row in a gap of an earlier page, and parts of a large table are loaded in parallel. With
    `opened`, a table whose rows come in another order is therefore compared again, row by row, with the bucket's;
    without it, another order is a difference. Extensions' configuration tables are compared through the fingerprint
    (jobs, hypertables), not by rows. Chunks with compressed batches are compared as queries give them too.
    """
    comparison, lock, doubtful = Comparison(), threading.Lock(), list[tuple[SourceTable, list[TableData]]]()
    read = dict[str, int]()
    # What these hold compressed is compared as rows. An array of a type of the database's own, which has another number
    # there, comes back in other bytes.
    read_as_rows = {chunk.batches for chunk in manifest.chunks or () if chunk.checksum is not None}
    wanted = {name: parts for name, parts in manifest.parts().items() if parts[0].extension is None}

    def keep(source: SourceTable, rows: int, digest: str) -> None:
        with lock:
            read[source.full_name] = rows
            parts = wanted.get(source.full_name)
            if parts is None:
                return
            counted = rows == _rows(parts)
            if counted and [part.sha256 for part in parts] == [digest]:
                return
            if counted and opened:
                doubtful.append((source, parts))
            else:
                comparison.differences.append(_difference(parts, rows))

    with snapshot_of(address, image) as source:
        tables = [table for table in source.tables if table.extension is None]
        names = {table.full_name for table in tables}
        comparison.differences += [f"{name}: not there, required {_rows(parts)} rows"
                                   for name, parts in wanted.items() if name not in names]
        comparison.differences += [f"{name}: there, but not in the backup" for name in sorted(names - wanted.keys())]
        comparison.differences += _compare_surroundings(source, manifest)
        reading: Future[Reading] = Future()
        chunks = queue_chunks(manifest, source.compressed)
        reading.set_result(Reading(source, PieceQueue(tables), lambda piece: _Digest(piece, keep), chunks))
        with ThreadPoolExecutor(max_workers=workers) as pool:
            for future in begin_reading(pool, address, reading, workers=workers, alone=source.snapshot is None):
                future.result()
    comparison.tables, comparison.rows = len(read), sum(count_rows(read, chunks.rows).values())
    comparison.differences += compare_chunks(manifest.chunks, chunks.rows)
    comparison.unread += describe_unread(manifest)
    comparison.differences += [_difference(parts, _rows(parts)) for source_table, parts in doubtful if opened and not
                               holds_rows(address, source_table, chain.from_iterable(map(opened.rows, parts)),
                                          without=[FILTERS, *[COMPRESSED] * (source_table.full_name in read_as_rows)])]
    return comparison


def _compare_surroundings(source: Source, manifest: Manifest) -> list[str]:
    """A line for each sequence that stands elsewhere, for each materialized view that is populated where it was not or
    the other way round, and one where the structure differs."""
    sequences = {sequence.full_name: sequence for sequence in source.surroundings.sequences}
    lines = [f"{sequence.full_name}: stands at another value than {sequence.last_value}"
             for sequence in manifest.sequences if sequences.get(sequence.full_name) != sequence]
    if manifest.unpopulated is not None:
        found, required = set(source.surroundings.unpopulated), set(manifest.unpopulated)
        lines += [f"{view}: not populated, required populated" for view in sorted(found - required)]
        lines += [f"{view}: populated, required not populated" for view in sorted(required - found)]
    if source.server.server_version // 10000 == manifest.server.server_version // 10000 \
            and source.surroundings.fingerprint != manifest.fingerprint:
        lines.append("structure: not the one that was backed up")
    return lines


def _rows(parts: Sequence[TableData]) -> int:
    return sum(part.rows for part in parts)


def _difference(parts: Sequence[TableData], rows: int) -> str:
    name, required = parts[0].full_name, _rows(parts)
    if rows != required:
        return f"{name}: found {rows} rows, required {required}"
    return f"{name}: {rows} rows as required, but their content differs"
