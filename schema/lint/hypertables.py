"""Hypertables: dimensions and the constraints that must contain them, policies, and unsupported parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schema.lint import durations, policies
from schema.lint.finding import Finding, Lint
from schema.model import intervals
from schema.model.objects import Hypertable, Object, Table
from schema.model.sql_names import column_name
from schema.model.table_options import column_of


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """Yield what TimescaleDB would refuse, and policies that would never act."""
    hypertables = {table.full_name for table in objects if isinstance(table, Table) and table.hypertable}
    for table in objects:
        if not isinstance(table, Table):
            continue
        if table.hypertable is None:
            yield from _plain(table)
            continue
        yield from _partitioned(table, table.hypertable)
        yield from [*_unreadable(table)] or _policies(table)
        for key in table.foreign_keys:
            if key.table in hypertables:
                yield (f"{table.full_name}.{key.name}: a hypertable cannot refer to {key.table}, which is one, too; "
                       "leave the foreign key out")


def warnings(objects: Sequence[Object]) -> Iterable[Finding]:
    """Yield foreign keys that keep retention from dropping a chunk with rows that are referred to."""
    kept = {table.full_name: table.retention for table in objects if isinstance(table, Table) and table.hypertable}
    for table in objects:
        for key in table.foreign_keys if isinstance(table, Table) else ():
            if kept.get(key.table) is not None:
                yield Finding(Lint.RETENTION_BLOCKED, table.full_name, key.name,
                              f"retention of {key.table} fails at a chunk with rows that this refers to, whatever "
                              "happens on delete, and drops no chunk any more; leave the foreign key or the retention "
                              "out")


def _plain(table: Table) -> Iterable[str]:
    for part in ("compression", "retention", "reorder"):
        if getattr(table, part) is not None:
            yield f"{table.full_name}.{part}: the table is no hypertable; declare hypertable, or drop the {part}"


def _partitioned(table: Table, hypertable: Hypertable) -> Iterable[str]:
    """Yield unique constraints and indexes that lack a partitioning column, and wrong dimensions."""
    name, columns = table.full_name, {column.name for column in table.columns}
    by = (hypertable.time, *(dimension.column for dimension in hypertable.dimensions))
    for column in by:
        if column not in columns:
            yield f"{name}.hypertable: column {column!r} is not declared; declare it or name another"
        if by.count(column) > 1:
            yield f"{name}.hypertable: {column!r} is a dimension twice; keep one"
    for dimension in hypertable.dimensions:
        if (dimension.partitions is None) == (dimension.interval is None):
            yield (f"{name}.hypertable: dimension {dimension.column!r} needs partitions (hashed) or interval (ranges); "
                   "give one of the two")
    for check in table.checks:
        if check.no_inherit:
            yield (f"{name}.{check.name}: a check of a hypertable holds for its chunks, too, and cannot be no_inherit; "
                   "leave that out")
    for column in by:
        for key in table.keys:
            if column not in key.columns:
                yield f"{name}.{key.name}: a key of a hypertable must contain {column!r}; add it"
        for index in table.indexes:
            if index.unique and column not in map(column_of, index.columns):
                yield f"{name}.{index.name}: a unique index of a hypertable must contain {column!r}; add it"


def _unreadable(table: Table) -> Iterable[str]:
    """Yield fields that are no interval."""
    dimensions = table.hypertable.dimensions if table.hypertable else ()
    for part in (table.hypertable, *dimensions, table.compression, table.retention, table.reorder):
        yield from durations.unreadable(table.full_name, ((field, getattr(part, field, None)) for field in (
            "chunk", "interval", "after", "drop_after", "schedule", "recompress", *policies.INTERVALS)))
    yield from policies.errors(table.full_name, table)


def _policies(table: Table) -> Iterable[str]:
    name, compression, retention = table.full_name, table.compression, table.retention
    columns = {column.name for column in table.columns}
    if compression:
        segments = [*map(column_name, compression.segment_by or ())]
        orders = [*map(column_name, compression.order_by or ())]
        for column in (*segments, *orders):
            if column not in columns:
                yield f"{name}.compression: column {column!r} is not declared; declare it or name another"
        for both in sorted({*segments} & {*orders}):
            yield f"{name}.compression: {both!r} is in segment_by and in order_by; keep it in one of them"
        if table.row_security:
            yield (f"{name}: the columnstore cannot be used on a table with row-level security; leave out compression "
                   "or row_security, or give readers a view with its own conditions")
    if compression and compression.after and retention and retention.drop_after and \
            intervals.fixed_length(compression.after) >= intervals.fixed_length(retention.drop_after):
        yield (f"{name}: compression after {compression.after} never happens, retention drops rows after "
               f"{retention.drop_after}; compress earlier")
    bounds = (retention and retention.drop_after, compression and compression.after,
              compression and compression.recompress)
    if table.hypertable and table.hypertable.now is None and any(bound and bound.strip().isdigit() for bound in bounds):
        yield f"{name}.hypertable: an integer policy needs a function that returns the current time; name it as now"
    for column in (table.hypertable and table.hypertable.chunk_skipping) or ():
        if column not in columns:
            yield f"{name}.hypertable: column {column!r} of chunk_skipping is not declared; declare it or name another"
    index_names = {*(index.name for index in table.indexes), *(key.name for key in table.keys)}
    if table.reorder and table.reorder.index not in index_names:
        yield f"{name}.reorder: index {table.reorder.index!r} is not declared; declare it or name another"
