"""The queue of pieces: whole tables first, then parts of large ones, so that all readers finish together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from backups.logical.source.snapshot import SINCE, Source, SourceTable

# A part has an object and a request of its own: smaller ones would cost more than waiting does.
LEAST_BYTES = 64 << 20
# A longer table is read in several parts in any case: then a restore may load it by many connections too, and no object
# comes near the longest that S3 has (195 GiB, see `upload`).
MOST_BYTES = 4 << 30
# Reading a range of a table's blocks costs the server a twentieth more than reading all of them, so what is hardly
# longer than a part should be stays whole.
SLACK = 1.25


class Noted(Protocol):
    """A piece that an interrupted run uploaded."""

    @property
    def end(self) -> int | None:
        """The heap block before which its rows end; None for the table's end."""


@dataclass(frozen=True)
class Piece:
    """A table; with a `number`, its rows from the heap block `first` up to, but not including, the block `end`."""

    table: SourceTable
    bytes: int
    number: int | None = None
    first: int = 0
    end: int | None = None

    @property
    def id(self) -> tuple[int, int]:
        """The table's oid and the part's number: orders the pieces of one snapshot."""
        return self.table.oid, self.number or 0

    @property
    def query(self) -> str | None:
        """The query that reads the piece; None where COPY of the whole table does."""
        if self.number is None:
            return None if self.table.extension is None else self.table.query
        end = "" if self.end is None else f" AND ctid < '({self.end},0)'"
        return f"SELECT {self.table.columns} FROM ONLY {self.table.full_name} WHERE ctid >= '({self.first},0)'{end}"


class PieceQueue:
    """Pieces to read, the largest table's first, so that all readers finish together. Thread-safe.

    Tables of unknown text length (compressed batches) come first. With several `readers` no piece is longer than each
    one's share of the rest, but at least LEAST_BYTES. A table that an interrupted run divided is divided at the same
    blocks: `noted` returns what was uploaded of it from a block on.
    """

    def __init__(self, tables: Sequence[SourceTable], *, readers: int = 1,
                 noted: Callable[[SourceTable, int], Noted | None] = lambda *_: None) -> None:
        """`noted` returns the piece of a table that was uploaded before from this block on, None where there is none.
        """
        self.tables = tuple(sorted(tables, key=lambda table: (not table.compressed, -table.bytes)))
        self.readers = readers
        self.taken: list[Piece] = []
        self._noted = noted
        self._waiting = iter(self.tables)
        self._left = sum(table.bytes for table in tables)
        self._rest: Piece | None = None
        self._lock = threading.Lock()

    @classmethod
    def of(cls, source: Source, readers: int, noted: Callable[[SourceTable, int], Noted | None]) -> PieceQueue:
        """The queue of all tables of the source.

        They are divided only where the server reads block ranges directly (PostgreSQL 14 on).
        """
        divided = source.server.server_version >= SINCE["tid_range_scan"]
        return cls(source.tables, readers=readers if divided else 1, noted=noted)

    def take(self) -> Piece | None:
        """The next piece; None where none is left."""
        with self._lock:
            rest = self._rest
            if rest is None:
                if (table := next(self._waiting, None)) is None:
                    return None
                rest = Piece(table, table.bytes)
            piece, self._rest = self._divide(rest)
            self._left -= piece.bytes
            self.taken.append(piece)
            return piece

    def _divide(self, rest: Piece) -> tuple[Piece, Piece | None]:
        """What is to be read now, and what then remains of the table."""
        table, most = rest.table, min(max(self._left // self.readers, LEAST_BYTES), MOST_BYTES)
        if self.readers == 1 or table.extension or table.compressed or rest.bytes <= LEAST_BYTES:
            return rest, None
        # Long values lie elsewhere; each block is taken to have its share of them.
        per_block = table.bytes // max(table.blocks, 1)
        blocks = most // max(per_block, 1)
        if noted := self._noted(table, rest.first):
            # Unless it has grown beyond what an object may have.
            same = (table.blocks if noted.end is None else noted.end) - rest.first
            if same * per_block <= MOST_BYTES * SLACK:
                blocks = same
        elif rest.bytes <= most * SLACK:
            return rest, None
        if not 0 < blocks < table.blocks - rest.first:
            return rest, None
        end, size, number = rest.first + blocks, blocks * per_block, rest.number or 0
        return (replace(rest, bytes=size, number=number, end=end),
                replace(rest, bytes=rest.bytes - size, number=number + 1, first=end))
