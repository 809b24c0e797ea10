"""Whether two streams of COPY text contain the same rows in any order; in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from backups.logical.snapshot import SourceTable, prepare
from schema.connection import Address

DIGEST_BYTES = 32


def row_set(blocks: Iterable[bytes]) -> tuple[int, int]:
    """The number of rows and the sum of their hashes, which does not depend on their order."""
    count, total, rest = 0, 0, b""
    for block in blocks:
        *lines, rest = (rest + bytes(block)).split(b"\n")
        count += len(lines)
        for line in lines:
            total += int.from_bytes(hashlib.blake2b(line, digest_size=DIGEST_BYTES).digest())
    return count, total % (1 << 8 * DIGEST_BYTES)


def holds_rows(address: Address, table: SourceTable, blocks: Iterable[bytes]) -> bool:
    """Whether a table of a restored database contains exactly these rows."""
    with address.connect(application_name="lifecompanion compare") as connection:
        prepare(connection)
        with connection.cursor().copy(table.copy.encode()) as copy:
            live = row_set(bytes(block) for block in copy)
    return live == row_set(blocks)
