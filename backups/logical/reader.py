"""Reading a backup from the bucket: each object is fetched, checked, decrypted and decompressed block by block."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from backups.errors import DamagedError
from backups.logical.manifest import Manifest, TableData
from backups.storage.compression import ZstdDecompressor, ZstdError
from backups.storage.encryption import Decryptor
from backups.storage.object_store import Store, Stored

# A compressed block may contain a hundred times its size. Longer blocks fall out of the processor's caches, here and in
# the server: a twentieth of the time of loading rows.
BLOCK_BYTES = 128 << 10
# This much of checked objects is kept for their next read.
KEPT_BYTES = 48 << 20
# So many packs are kept, usually as many as there are readers.
PACKS_KEPT = 4
# Longer packs are refused; those that `packs` writes have a twelfth of it.
PACK_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Opened:
    """A backup whose manifest's seal was checked and whose data key is known. Thread-safe."""

    store: Store
    manifest: Manifest
    data_key: bytes = field(repr=False)
    _packs: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _kept: dict[str, list[bytes]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _room: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)
    _keeping: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def check(self, stored: Stored) -> Iterator[bytes]:
        """Yield the object's encrypted bytes; raises DamagedError unless size and SHA-256 are the manifest's.

        While there is room (KEPT_BYTES in all) they are kept for the next read of the same object.
        """
        with self._keeping:
            if keep := sum(self._room.values()) + stored.bytes <= KEPT_BYTES:
                self._room[stored.key] = stored.bytes
        blocks = list[bytes]()
        for block in self.store.read(stored):
            if keep:
                blocks.append(block)
            yield block
        if keep:
            self._kept[stored.key] = blocks

    def _take(self, stored: Stored) -> Iterable[bytes]:
        """What was kept of an object, once, or what lies in the bucket."""
        with self._keeping:
            kept = self._kept.pop(stored.key, None)
            self._room.pop(stored.key, None)
        return self.store.read(stored) if kept is None else kept

    def plain(self, stored: Stored) -> Iterator[bytes]:
        """Yield the object's plain bytes; raises DamagedError, after the last block at the latest."""
        decompressor = ZstdDecompressor()
        for block in Decryptor(self.data_key, stored.key).open(self._take(stored)):
            try:
                data = decompressor.decompress(block, BLOCK_BYTES)
                while data or not (decompressor.needs_input or decompressor.eof):
                    if data:
                        yield data
                    data = b"" if decompressor.eof else decompressor.decompress(b"", BLOCK_BYTES)
            except ZstdError:
                raise DamagedError(f"{stored.key}: does not decompress; take another backup") from None
        if not decompressor.eof:
            raise DamagedError(f"{stored.key}: ends too early; take another backup")

    def rows(self, table: TableData) -> Iterator[bytes]:
        """Yield the table's COPY text; raises DamagedError unless its SHA-256 and row count are the manifest's."""
        digest, rows = hashlib.sha256(), 0
        for block in self._text(table):
            digest.update(block)
            rows += block.count(b"\n")
            yield block
        if digest.hexdigest() != table.sha256 or rows != table.rows:
            raise DamagedError(f"table {table.full_name}: found {rows} rows, required {table.rows} with the manifest's "
                               "checksum; take another backup")

    def rows_to_load(self, table: TableData) -> Iterator[bytes]:
        """Yield the table's COPY text for a caller that counts the rows itself.

        An object that holds one table is authenticated by AES-GCM and by zstd's checksum (format 2 and later), so
        SHA-256, which takes as long as decompressing, is left to `verify` and to drills.
        """
        proven = self.manifest.format > 1 and table.offset is None
        return self._text(table) if proven else self.rows(table)

    def _text(self, table: TableData) -> Iterator[bytes]:
        if table.stored is None:
            return iter(())
        if table.offset is None:
            return self.plain(table.stored)
        return iter([self._pack(table.stored)[table.offset:table.offset + table.bytes]])

    def _pack(self, stored: Stored) -> bytes:
        """The plain text of an object that small tables share, a few MiB, read once for neighbours."""
        with self._lock:
            if stored.key not in self._packs:
                text = bytearray()
                for block in self.plain(stored):
                    text += block
                    if len(text) > PACK_MOST_BYTES:
                        raise DamagedError(f"{stored.key}: holds more than {PACK_MOST_BYTES} bytes, too many for "
                                           "an object that tables share; take another backup")
                while len(self._packs) >= PACKS_KEPT:
                    del self._packs[next(iter(self._packs))]
                self._packs[stored.key] = bytes(text)
            return self._packs[stored.key]

    def fetch_structure(self, path: Path) -> None:
        """Write the pg_dump archive of the structure, which holds no rows, to a file."""
        with path.open("wb") as file:
            for block in self.plain(self.manifest.structure):
                file.write(block)
