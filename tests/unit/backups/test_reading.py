"""Reading a backup back holds little in memory, whatever lies in the bucket."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from backups.errors import DamagedError
from backups.logical.manifest import TableData
from backups.logical.reader import PACK_MOST_BYTES, Opened
from backups.storage.compression import ZstdDecompressor, ZstdError, make_compressor
from backups.storage.encryption import Encryptor
from backups.storage.object_store import Stored

KEY = b"k" * 32


class Bucket:
    """One object under every key."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, _: Stored) -> Iterator[bytes]:
        yield self._data


def pack(plain: Iterator[bytes]) -> tuple[Opened, Stored]:
    compressor, encryptor = make_compressor(), Encryptor(KEY, "pack")
    sealed = b"".join(encryptor.feed(compressor.compress(block)) for block in plain)
    sealed += encryptor.feed(compressor.flush()) + encryptor.finish()
    store: Any = Bucket(sealed)
    nothing: Any = None
    return Opened(store, nothing, KEY), Stored("pack", len(sealed), "")


def table(stored: Stored, offset: int | None, text: bytes) -> TableData:
    return TableData(schema_="s", name="t", full_name="s.t", columns="a", rows=text.count(b"\n"), bytes=len(text),
                     sha256=hashlib.sha256(text).hexdigest(), stored=stored, offset=offset)


def test_a_shared_object_of_gigabytes_is_refused_before_it_is_read_into_memory() -> None:
    opened, stored = pack(b"\n" * (1 << 20) for _ in range(512))
    assert stored.bytes < 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError, match=r"^pack: holds more than \d+ bytes, too many"):
            list(opened.rows(table(stored, 0, b"\n")))
        assert tracemalloc.get_traced_memory()[1] < 3 * PACK_MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("offset", [0, 1, 5, 9, 100, None])
def test_rows_are_taken_from_nowhere_but_where_they_were_written(offset: int | None) -> None:
    opened, stored = pack(iter([b"1\n2\n3\n4\n5\n"]))
    assert b"".join(opened.rows(table(stored, 2, b"2\n3\n"))) == b"2\n3\n"
    with pytest.raises(DamagedError, match=r"^table s\.t: found \d rows, required 2"):
        list(opened.rows(table(stored, offset, b"2\n3\n")))


def test_a_stream_ends_with_a_checksum_of_its_plain_text() -> None:
    compressor = make_compressor()
    data = bytearray(compressor.compress(b"1\n2\n" * 1000) + compressor.flush())
    assert ZstdDecompressor().decompress(bytes(data)) == b"1\n2\n" * 1000
    data[-1] ^= 1
    with pytest.raises(ZstdError, match="checksum"):
        ZstdDecompressor().decompress(bytes(data))
