"""The rows of chunks with compressed batches, counted and hashed as a query gives them.

What a backup stores of such a chunk are its batches, and what a query makes of them stands in the catalog as well: a
backup whose batches come back to the byte may still give other rows. Reading them so takes the server many times as
long as reading batches. A backup therefore spends a limited time on it, on chunks whose batches lack a column first,
then on others by chance; it names those that it did not come to.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from backups.logical.manifest import ChunkRows

# So many seconds does a backup read rows as queries give them.
SECONDS = 60.0
# TimescaleDB tells which table a chunk's batches are in: from this version on, and before.
COMPRESS_RELID = (2, 19)
PAIRS = "SELECT relid AS chunk, compress_relid AS batches FROM _timescaledb_catalog.compression_settings"
PAIRS_BEFORE = """
    SELECT to_regclass(format('%I.%I', c.schema_name, c.table_name)) AS chunk,
           to_regclass(format('%I.%I', b.schema_name, b.table_name)) AS batches
      FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.chunk b ON b.id = c.compressed_chunk_id"""
COMPRESSED = """
    SELECT format('%%I.%%I', n.nspname, c.relname) AS full_name, format('%%I.%%I', m.nspname, b.relname) AS batches,
           (SELECT coalesce(json_object_agg(attname, attmissingval::text ORDER BY attnum), '{}')
              FROM pg_attribute
             WHERE attrelid = c.oid AND atthasmissing AND attnum > 0 AND NOT attisdropped) AS missing
      FROM (%s) AS pair
      JOIN pg_class c ON c.oid = pair.chunk JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class b ON b.oid = pair.batches JOIN pg_namespace m ON m.oid = b.relnamespace
     ORDER BY 1"""
BEGIN = ("SAVEPOINT chunk_rows; SET LOCAL jit = off; SET LOCAL timescaledb.enable_transparent_decompression = {}; "
         "SET LOCAL statement_timeout = {:.0f}")
END = "ROLLBACK TO SAVEPOINT chunk_rows"
HASHED = ("SELECT count(*), coalesce(sum(hashtextextended(ROW(x.*)::text, 0)), 0)::text FROM {} AS x")
COUNTED = "SELECT count(*), NULL::text FROM {}"
# As the batches say themselves: their table is read, and none of them decompressed.
ADDED_UP = ("SELECT (SELECT coalesce(sum(_ts_meta_count), 0) FROM ONLY {})::bigint + (SELECT count(*) FROM ONLY {}), "
            "NULL::text")


@dataclass(frozen=True)
class CompressedChunk:
    """A chunk with compressed batches; fields as in `ChunkRows`."""

    full_name: str
    batches: str
    missing: dict[str, str]


@dataclass(frozen=True)
class Question:
    """What to ask of a chunk: `begin`, then `query` for its one row, then END in any case."""

    chunk: CompressedChunk
    begin: str
    query: str
    unread: str | None = None


def read_compressed(connection: Connection[Any], timescaledb: str) -> list[CompressedChunk]:
    """The chunks that have compressed batches, by name. `timescaledb` is the extension's version."""
    version = tuple(int(part) for part in re.findall(r"\d+", timescaledb)[:2])
    query = COMPRESSED % (PAIRS if version >= COMPRESS_RELID else PAIRS_BEFORE)
    with connection.cursor(row_factory=class_row(CompressedChunk)) as cursor:
        return cursor.execute(query.encode()).fetchall()


class ChunkQueue:
    """The chunks whose rows are to be read, and what was found of each. Thread-safe."""

    def __init__(self, chunks: Sequence[CompressedChunk] = (), *, seconds: float | None = SECONDS,
                 hashed: Callable[[CompressedChunk], bool] = lambda _: True,
                 stopped: Callable[[], bool] = lambda: False) -> None:
        """`seconds`: how long reading may take from the first question on, None for as long as it takes.

        `hashed` says of which chunks the rows are hashed; those of others are counted. Once `stopped` says so, there is
        nothing more to ask.
        """
        self._rows: dict[str, ChunkRows] = {}
        self._seconds, self._hashed, self._stopped = seconds, hashed, stopped
        # Those that lack columns come last here, and are asked for first.
        self._waiting = random.sample(chunks, len(chunks))
        self._waiting.sort(key=lambda chunk: bool(chunk.missing))
        self._late: list[tuple[CompressedChunk, str]] = []
        self._until: float | None = None
        self._lock = threading.Lock()

    @property
    def rows(self) -> list[ChunkRows]:
        """What was found, by the chunks' names."""
        return [self._rows[name] for name in sorted(self._rows)]

    @property
    def stopped(self) -> bool:
        """Whether nobody wants the answers any more."""
        return self._stopped()

    def take(self) -> Question | None:
        """The next question; None where none is left."""
        with self._lock:
            if self._stopped():
                return None
            if self._late:
                return self._add_up(*self._late.pop())
            if not self._waiting:
                return None
            chunk, left = self._waiting.pop(), self._left()
            if left is not None and left <= 0:
                return self._add_up(chunk, self._too_long())
            query = (HASHED if self._hashed(chunk) else COUNTED).format(chunk.full_name)
            return Question(chunk, BEGIN.format("on", 0 if left is None else max(1, 1000 * left)), query)

    def keep(self, question: Question, row: Sequence[Any]) -> None:
        """Keep the answer to a question: the number of rows and their checksum."""
        chunk = question.chunk
        with self._lock:
            self._rows[chunk.full_name] = ChunkRows(
                full_name=chunk.full_name, batches=chunk.batches, rows=row[0], checksum=row[1],
                unread=question.unread, missing=chunk.missing)

    def put_back(self, question: Question, why: str, *, late: bool) -> bool:
        """Have the chunk's rows counted from its batches after the server gave no answer; False where it was that.

        `late`: it was for the time.
        """
        with self._lock:
            if question.unread is not None:
                return False
            self._late.append((question.chunk, self._too_long() if late else why))
            return True

    def _left(self) -> float | None:
        if self._seconds is None:
            return None
        now = time.monotonic()
        self._until = self._until or now + self._seconds
        return self._until - now

    def _too_long(self) -> str:
        return f"the {self._seconds:g} s for reading rows were over"

    def _add_up(self, chunk: CompressedChunk, why: str) -> Question:
        return Question(chunk, BEGIN.format("off", 0), ADDED_UP.format(chunk.batches, chunk.full_name), why)
