"""A stream of many tables is cut at its marks and nowhere else, however the blocks fall."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from backups.copying import TableQueue, split
from backups.source import SourceTable

# What COPY's text format may hold: a backslash is doubled, and a form feed is a backslash and an f.
ROW = st.text(alphabet="a.\t\\f\f0", max_size=12).map(
    lambda text: text.replace("\\", "\\\\").replace("\f", "\\f").encode() + b"\n")


def reader(stream: bytes, sizes: list[int]) -> Callable[[memoryview], int]:
    at, turn = 0, 0

    def read(room: memoryview) -> int:
        nonlocal at, turn
        piece = stream[at:at + min(sizes[turn % len(sizes)], len(room))]
        room[:len(piece)] = piece
        at, turn = at + len(piece), turn + 1
        return len(piece)
    return read


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ROW, max_size=5), max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_every_row_goes_to_its_own_table(tables: list[list[bytes]], sizes: list[int]) -> None:
    stream = b"".join(b"".join(rows) + b"\f%d\n" % number for number, rows in enumerate(tables))
    found: list[bytes] = []
    counts: list[int] = []
    current = b""
    for data, mark in split(reader(stream, sizes)):
        current += data
        if mark is not None:
            assert mark[0] == len(found)
            found.append(current)
            counts.append(mark[1])
            current = b""
    assert current == b""
    assert found == [b"".join(rows) for rows in tables]
    assert counts == [len(rows) for rows in tables]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=30))
def test_every_table_is_taken_once_compressed_ones_first_then_the_largest(found: list[tuple[int, bool]]) -> None:
    tables = [SourceTable(number, "s", str(number), f"s.{number}", "a", None, None, compressed, size)
              for number, (size, compressed) in enumerate(found)]
    queue = TableQueue(tables)
    taken = []
    while (table := queue.take()) is not None:
        taken.append(table)
    assert sorted(table.oid for table in taken) == list(range(len(tables)))
    assert [(not table.compressed, -table.bytes) for table in taken] == sorted((not c, -size) for size, c in found)
