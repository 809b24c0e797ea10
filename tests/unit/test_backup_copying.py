"""Tables are read in an order that keeps all readers busy to the end; small ones share objects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backups.copying import TableQueue
from backups.manifest import TableData, in_order
from backups.packing import PACK_BYTES, Packer
from backups.source import SourceTable
from backups.store import Stored


@given(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=30))
def test_every_table_is_taken_once_compressed_ones_first_then_the_largest(found: list[tuple[int, bool]]) -> None:
    tables = [SourceTable(number, "s", str(number), f"s.{number}", "a", ["a"], None, None, compressed, size)
              for number, (size, compressed) in enumerate(found)]
    queue = TableQueue(tables)
    taken = []
    while (table := queue.take()) is not None:
        taken.append(table)
    assert sorted(table.oid for table in taken) == list(range(len(tables)))
    assert [(not table.compressed, -table.bytes) for table in taken] == sorted((not c, -size) for size, c in found)


def table(number: int, text: bytes) -> TableData:
    return TableData(schema_="s", name=str(number), full_name=f"s.{number}", columns="a", rows=1, bytes=len(text),
                     sha256="")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, PACK_BYTES // 2)), min_size=1, max_size=12))
def test_each_table_is_found_again_where_its_pack_says(given_: list[tuple[int, int]]) -> None:
    texts = [bytes([48 + number]) * size for number, (_, size) in enumerate(given_)]
    packs: dict[str, bytes] = {}
    kept: dict[int, TableData] = {}

    def put(key: str, pieces: list[bytes]) -> Stored:
        packs[key] = b"".join(pieces)
        return Stored(key, len(packs[key]), "")
    packer = Packer(put, kept.__setitem__)  # type: ignore[arg-type]
    for number, text in enumerate(texts):
        half = len(text) // 2
        if full := packer.add(number, table(number, text), [text[:half], text[half:]]):
            full()
    if rest := packer.rest():
        rest()
    assert packer.rest() is None
    for number, text in enumerate(texts):
        found = kept[number]
        assert found.stored
        assert found.offset is not None
        assert packs[found.stored.key][found.offset:found.offset + found.bytes] == text
    # A reader holds a few at a time.
    assert all(len(pack) < PACK_BYTES + PACK_BYTES // 2 for pack in packs.values())


def test_neighbours_in_an_object_are_read_one_after_the_other_and_last() -> None:
    pack, other = Stored("data/small-1", 1, ""), Stored("data/small-2", 1, "")
    large = [table(number, b"x" * size).model_copy(update={"stored": Stored(f"data/{number}", 1, "")})
             for number, size in enumerate((5, 9))]
    small = [table(number, b"x").model_copy(update={"stored": stored, "offset": offset})
             for number, (stored, offset) in enumerate(((other, 0), (pack, 7), (other, 3), (pack, 0)), 2)]
    assert [each.name for each in in_order([*small, *large])] == ["1", "0", "5", "3", "2", "4"]
