"""Redundant indexes, and foreign keys without an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from schema.kinds.index import plain
from schema.lint.finding import Finding, Lint
from schema.model.objects import ContinuousAggregate, ForeignKey, Index, Object, Table
from schema.model.table_options import column_of


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield indexes that differ in their names alone."""
    for declared in objects:
        if isinstance(declared, Table | ContinuousAggregate):
            first: dict[Index, str] = {}
            for index in declared.indexes:
                same = first.setdefault(bare(index), index.name)
                if same != index.name:
                    yield f"{declared.full_name}.{index.name}: the same index as {same}; keep one"


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield indexes that are a prefix of another, and foreign keys whose columns no index begins with."""
    for table in objects:
        if isinstance(table, Table):
            yield from _redundant(table)
            yield from (_unindexed(table, key) for key in table.foreign_keys if not _is_served(table, key))


def bare(index: Index) -> Index:
    """Return the index without name and comment, for comparison."""
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
    """Tell whether an index over all rows begins with the key's columns, in any order."""
    indexes = [index.columns for index in table.indexes if index.where is None and index.method in ("btree", "hash")]
    return any({column_of(term) for term in columns[:len(key.columns)]} == {*key.columns}
               for columns in (*indexes, *(unique.columns for unique in table.keys)))


def _unindexed(table: Table, key: ForeignKey) -> Finding:
    return Finding(Lint.UNINDEXED_FOREIGN_KEY, table.full_name, key.name,
                   f"no index begins with {', '.join(key.columns)}, so every delete in {key.table} reads all of "
                   f"{table.full_name}; declare one")
