"""Tables are read in an order that keeps all readers busy to the end; small ones share objects."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from backups.logical.manifest import TableData, sort_for_reading
from backups.logical.packs import PACK_BYTES, Packer, PieceId
from backups.logical.source.snapshot import SourceTable
from backups.logical.work_queue import LEAST_BYTES, MOST_BYTES, SLACK, Piece, PieceQueue
from backups.storage.object_store import Stored


@given(st.lists(st.tuples(st.integers(0, 10**9), st.booleans()), max_size=30))
def test_every_table_is_taken_once_compressed_ones_first_then_the_largest(sizes: list[tuple[int, bool]]) -> None:
    taken = take_all([source(number, size, compressed) for number, (size, compressed) in enumerate(sizes)], readers=1)
    assert sorted(piece.id for piece in taken) == [(number, 0) for number in range(len(sizes))]
    assert all(piece.query is None for piece in taken)
    order = [(not piece.table.compressed, -piece.bytes) for piece in taken]
    assert order == sorted((not compressed, -size) for size, compressed in sizes)


@given(st.lists(st.tuples(st.integers(0, 10**11), st.booleans()), max_size=12), st.integers(2, 6))
def test_the_parts_of_a_table_cover_every_block_once(sizes: list[tuple[int, bool]], readers: int) -> None:
    tables = [source(number, size, compressed) for number, (size, compressed) in enumerate(sizes)]
    taken = take_all(tables, readers)
    for table in tables:
        parts = [piece for piece in taken if piece.table is table]
        assert sum(part.bytes for part in parts) == table.bytes
        assert parts[0].first == 0
        assert parts[-1].end is None
        assert [part.end for part in parts[:-1]] == [part.first for part in parts[1:]]
        assert [part.number for part in parts] == ([None] if len(parts) == 1 else list(range(len(parts))))
        assert len(parts) == 1 or not table.compressed
        assert all(part.bytes <= MOST_BYTES * SLACK for part in parts) or table.compressed


@given(st.integers(1, 60), st.integers(2, 4))
def test_no_reader_is_left_with_more_than_the_others_have(count: int, readers: int) -> None:
    """Tables as long as each other, and not as many as readers: each reader takes the next piece when it is through."""
    size = 400 << 20
    busy, queue = [0] * readers, PieceQueue([source(number, size, compressed=False) for number in range(count)],
                                            readers=readers)
    while (piece := queue.take()) is not None:
        busy[busy.index(min(busy))] += piece.bytes
    assert max(busy) - min(busy) <= LEAST_BYTES * SLACK + 8192


@given(st.lists(st.integers(LEAST_BYTES * 2, 10**11), min_size=1, max_size=6), st.integers(0, LEAST_BYTES // 2),
       st.integers(2, 4))
def test_what_was_sent_of_a_table_is_cut_out_of_it_again_though_it_has_grown(
        sizes: list[int], growth: int, readers: int) -> None:
    before = take_all([source(number, size, compressed=False) for number, size in enumerate(sizes)], readers)
    ends = {(piece.table.full_name, piece.first): piece for piece in before}
    after = take_all([source(number, size + growth, compressed=False) for number, size in enumerate(sizes)], readers,
                     lambda table, first: ends.get((table.full_name, first)))
    assert {(piece.table.full_name, piece.first, piece.end) for piece in before if piece.end is not None} <= {
        (piece.table.full_name, piece.first, piece.end) for piece in after}
    assert all(piece.bytes <= MOST_BYTES * SLACK for piece in after)


def source(number: int, size: int, compressed: bool) -> SourceTable:
    return SourceTable(number, "s", str(number), f"s.{number}", ["a"], None, None, compressed, size, size // 8192)


def take_all(tables: list[SourceTable], readers: int,
             noted: Callable[[SourceTable, int], Piece | None] = lambda *_: None) -> list[Piece]:
    queue, taken = PieceQueue(tables, readers=readers, noted=noted), list[Piece]()
    while (piece := queue.take()) is not None:
        taken.append(piece)
    assert queue.taken == taken
    return taken


def table(number: int, text: bytes) -> TableData:
    return TableData(schema_="s", name=str(number), full_name=f"s.{number}", columns="a", rows=1, bytes=len(text),
                     sha256="")


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, PACK_BYTES // 2)), min_size=1, max_size=12))
def test_every_table_is_read_from_the_offset_in_its_pack(given_: list[tuple[int, int]]) -> None:
    texts = [bytes([48 + number]) * size for number, (_, size) in enumerate(given_)]
    packs: dict[str, bytes] = {}
    kept: dict[PieceId, TableData] = {}

    def put(key: str, pieces: list[bytes]) -> Stored:
        packs[key] = b"".join(pieces)
        return Stored(key, len(packs[key]), "")
    packer = Packer(put, kept.__setitem__)  # type: ignore[arg-type]
    for number, text in enumerate(texts):
        half = len(text) // 2
        if full := packer.add((number, 0), table(number, text), [text[:half], text[half:]]):
            full()
    if rest := packer.rest():
        rest()
    assert packer.rest() is None
    for number, text in enumerate(texts):
        entry = kept[number, 0]
        assert entry.stored
        assert entry.offset is not None
        assert packs[entry.stored.key][entry.offset:entry.offset + entry.bytes] == text
    # A reader holds a few at a time.
    assert all(len(pack) < PACK_BYTES + PACK_BYTES // 2 for pack in packs.values())


def test_neighbours_in_an_object_are_read_one_after_the_other_and_last() -> None:
    pack, other = Stored("data/small-1", 1, ""), Stored("data/small-2", 1, "")
    large = [table(number, b"x" * size).model_copy(update={"stored": Stored(f"data/{number}", 1, "")})
             for number, size in enumerate((5, 9))]
    small = [table(number, b"x").model_copy(update={"stored": stored, "offset": offset})
             for number, (stored, offset) in enumerate(((other, 0), (pack, 7), (other, 3), (pack, 0)), 2)]
    assert [table.name for table in sort_for_reading([*small, *large])] == ["1", "0", "5", "3", "2", "4"]
