"""Indexes that serve nothing another does not, and foreign keys that none serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.kinds.index import column_of, plain
from schema.lint.finding import Finding, Lint
from schema.model.objects import ContinuousAggregate, ForeignKey, Index, Object, Table


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Indexes that are the same but for their names."""
    for each in objects:
        if isinstance(each, Table | ContinuousAggregate):
            first: dict[Index, str] = {}
            for index in each.indexes:
                same = first.setdefault(bare(index), index.name)
                if same != index.name:
                    yield f"{each.full_name}.{index.name}: the same index as {same}; keep one"


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Indexes that another begins with, and foreign keys without an index that begins with their columns."""
    for each in objects:
        if isinstance(each, Table):
            yield from _redundant(each)
            yield from (_unindexed(each, key) for key in each.foreign_keys if not _is_served(each, key))


def bare(index: Index) -> Index:
    """What the index is, whatever it is called."""
    return replace(plain(index) or index, name="", comment=None)


def _redundant(table: Table) -> Iterable[Finding]:
    keys = [Index(key.name, key.columns, unique=True) for key in table.keys]
    for index in table.indexes:
        one = plain(index)
        if one is None or index.unique or index.method != "btree":
            continue
        for other in (*keys, *table.indexes):
            all_ = plain(other)
            if all_ is None or other is index or other.method != "btree":
                continue
            longer = len(all_.columns) > len(one.columns) or all_.unique
            if longer and all_.columns[:len(one.columns)] == one.columns and {*one.include} <= {
                    *all_.include, *all_.columns}:
                yield Finding(Lint.REDUNDANT_INDEX, table.full_name, index.name,
                              f"{other.name} begins with the same columns and serves the same queries; drop it")
                break


def _is_served(table: Table, key: ForeignKey) -> bool:
    """Whether an index over all rows begins with the key's columns, in any order."""
    indexes = [each.columns for each in table.indexes if each.where is None and each.method in ("btree", "hash")]
    return any({column_of(term) for term in columns[:len(key.columns)]} == {*key.columns}
               for columns in (*indexes, *(each.columns for each in table.keys)))


def _unindexed(table: Table, key: ForeignKey) -> Finding:
    return Finding(Lint.UNINDEXED_FOREIGN_KEY, table.full_name, key.name,
                   f"no index begins with {', '.join(key.columns)}, so every delete in {key.table} reads all of "
                   f"{table.full_name}; declare one")
