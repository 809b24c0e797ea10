"""A stream of many tables is cut at its marks and nowhere else, however the blocks fall."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from backups.copying import split
from backups.dump import share_out
from backups.source import SourceTable

# What COPY's text format may hold: a backslash is doubled, and a form feed is a backslash and an f.
ROW = st.text(alphabet="a.\t\\f\f0", max_size=12).map(
    lambda text: text.replace("\\", "\\\\").replace("\f", "\\f").encode() + b"\n")


def blocks(stream: bytes, sizes: list[int]) -> Iterator[bytes]:
    at, turn = 0, 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        yield stream[at:at + size]
        at, turn = at + size, turn + 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ROW, max_size=5), max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=3))
def test_every_row_goes_to_its_own_table(tables: list[list[bytes]], sizes: list[int]) -> None:
    stream = b"".join(b"".join(rows) + b"\f%d\n" % number for number, rows in enumerate(tables))
    found: list[bytes] = []
    current = b""
    for data, mark in split(blocks(stream, sizes)):
        current += data
        if mark is not None:
            assert mark == len(found)
            found.append(current)
            current = b""
    assert current == b""
    assert found == [b"".join(rows) for rows in tables]


@given(st.lists(st.integers(0, 10**9), max_size=30), st.integers(1, 5))
def test_every_table_has_one_worker_and_none_has_twice_the_fair_share(sizes: list[int], workers: int) -> None:
    tables = [SourceTable(number, "s", str(number), f"s.{number}", "a", None, None, size)
              for number, size in enumerate(sizes)]
    shares = share_out(tables, workers)
    assert sorted(table.oid for share in shares for table in share) == list(range(len(sizes)))
    if sizes:
        loads = [sum(table.bytes for table in share) for share in shares]
        assert max(loads) <= sum(sizes) / workers + max(sizes) + 8192 * len(sizes)
