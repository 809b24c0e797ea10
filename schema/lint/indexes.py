"""Redundant indexes, and foreign keys without an index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.kinds.index import plain
from schema.lint.finding import Finding, Lint
from schema.model.objects import ContinuousAggregate, ForeignKey, Index, MaterializedView, Object, Table
from schema.model.table_options import bare_index, column_of

HIGHEST_TARGET = 10_000


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield indexes that differ in their names alone, and statistics targets that cannot be."""
    for declared in objects:
        if isinstance(declared, Table | ContinuousAggregate):
            first: dict[Index, str] = {}
            for index in declared.indexes:
                same = first.setdefault(bare(index), index.name)
                if same != index.name:
                    yield f"{declared.full_name}.{index.name}: the same index as {same}; keep one"
        if isinstance(declared, Table | ContinuousAggregate | MaterializedView):
            for index in declared.indexes:
                yield from _targets(f"{declared.full_name}.{index.name}", index.columns, index.statistics)
        if isinstance(declared, Table):
            for exclusion in declared.exclusions:
                yield from _targets(f"{declared.full_name}.{exclusion.name}", exclusion.elements, exclusion.statistics)


def _targets(where: str, terms: Sequence[str], statistics: Sequence[int]) -> Iterable[str]:
    """Yield statistics targets of terms that cannot have one, or that no server takes."""
    if len(statistics) > len(terms):
        yield f"{where}: {len(statistics)} statistics targets for {len(terms)} terms; give one for each, -1 for none"
    for term, target in zip(terms, statistics, strict=False):
        if target >= 0 and column_of(term) is not None:
            yield f"{where}: {term} is a column, and only expressions have a statistics target; give it to the column"
        if not -1 <= target <= HIGHEST_TARGET:
            yield f"{where}: statistics target {target} of {term}; give -1 to {HIGHEST_TARGET}"


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield indexes that are a prefix of another, and foreign keys whose columns no index begins with."""
    for table in objects:
        if isinstance(table, Table):
            yield from _redundant(table)
            yield from (_unindexed(table, key) for key in table.foreign_keys if not _is_served(table, key))


def bare(index: Index) -> Index:
    """Return what the index is apart from name, comment and statistics targets, for comparison."""
    return bare_index(plain(index) or index)


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
