"""Packs: small tables share an object, since a request for each would cost more time and money than their rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from backups.logical.manifest import TableData
from backups.storage.object_store import Stored

# A table whose text is longer has an object of its own; a pack is closed when it is as long as a reader cares to hold.
SMALL_BYTES = 1 << 20
PACK_BYTES = 4 << 20
# Puts plain bytes under a key (relative to the backup), compressed and encrypted.
Put = Callable[[str, Sequence[bytes]], Stored]
# Which piece of which table a text is, and who hears of it once it is stored.
PieceId = tuple[int, int]
Keep = Callable[[PieceId, TableData], None]


@dataclass
class _Pack:
    """The texts of some tables, one after the other."""

    pieces: list[bytes] = field(default_factory=list)
    bytes: int = 0
    tables: list[tuple[PieceId, TableData]] = field(default_factory=list)


class Packer:
    """Collects the texts of small tables from all readers and stores them several to an object. Thread-safe."""

    def __init__(self, put: Put, keep: Keep) -> None:
        """`put` stores a pack's bytes under a key; `keep` is called for each of its tables once it is stored."""
        self._put, self._keep = put, keep
        self._open = _Pack()
        self._count = 0
        self._lock = threading.Lock()

    def add(self, id_: PieceId, table: TableData, pieces: Sequence[bytes]) -> Callable[[], None] | None:
        """Add a table's text; returns the function that uploads the pack where this text filled it, else None."""
        with self._lock:
            pack = self._open
            pack.tables.append((id_, table.model_copy(update={"offset": pack.bytes})))
            pack.pieces += pieces
            pack.bytes += table.bytes
            return self._close() if pack.bytes >= PACK_BYTES else None

    def rest(self) -> Callable[[], None] | None:
        """The function that uploads the last pack; None where it is empty."""
        with self._lock:
            return self._close() if self._open.tables else None

    def _close(self) -> Callable[[], None]:
        pack, self._open = self._open, _Pack()
        self._count += 1
        key = f"data/small-{self._count}.copy.zst"

        def put() -> None:
            stored = self._put(key, pack.pieces)
            for id_, table in pack.tables:
                self._keep(id_, table.model_copy(update={"stored": stored}))
        return put
