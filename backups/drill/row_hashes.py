"""Whether two streams of COPY text contain the same rows in any order; in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from backups.logical.source.snapshot import SourceTable, prepare
from schema.connection import Address

DIGEST_BYTES = 32
# What a table of batches has in other bytes, or not at all: compressed values, and filters of their hashes.
COMPRESSED, FILTERS = "compressed_data", "bloom1"
OF_TYPES = """SELECT attname::text FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE attrelid = %s AND typname = ANY(%s)"""


def hash_rows(blocks: Iterable[bytes]) -> tuple[int, int]:
    """The number of rows and the sum of their hashes, which does not depend on their order."""
    count, total, rest = 0, 0, b""
    for block in blocks:
        *lines, rest = (rest + bytes(block)).split(b"\n")
        count += len(lines)
        for line in lines:
            total += int.from_bytes(hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest())
    return count, total % (1 << 8 * DIGEST_BYTES)


def holds_rows(address: Address, table: SourceTable, blocks: Iterable[bytes], *, without: Sequence[str] = ()) -> bool:
    """Whether a table of a restored database contains exactly these rows, columns of the types `without` left out.

    The blocks are COPY text of all of the table's columns.
    """
    with address.connect(application_name="lifecompanion compare") as connection:
        prepare(connection)
        left_out = {row[0] for row in connection.execute(OF_TYPES, [table.oid, list(without)])}
        if left_out:
            kept = [number for number, name in enumerate(table.column_names) if name not in left_out]
            table = replace(table, column_names=[table.column_names[number] for number in kept])
            blocks = _only(kept, blocks)
        with connection.cursor().copy(table.copy.encode()) as copy:
            live = hash_rows(bytes(block) for block in copy)
    return live == hash_rows(blocks)


def _only(kept: Sequence[int], blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same rows with these columns alone; COPY text has tabs and newlines between columns and rows only."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + bytes(block)).split(b"\n")
        for line in lines:
            columns = line.split(b"\t")
            yield b"\t".join(columns[number] for number in kept) + b"\n"
