"""Count the rows whose values another type of a column would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Connection

from schema.catalog import conversions
from schema.model.change import renames
from schema.model.live.tables import ChangedValues
from schema.model.names import ident, quoted
from schema.model.objects import Column, Table

# A table so large that counting takes longer is not counted: the statement that changes the type looks instead.
COUNTS_FOR = "5s"
# The new type does not exist yet, or the login may not read the rows.
UNASKABLE = (psycopg.errors.UndefinedObject, psycopg.errors.InsufficientPrivilege)
NO_WAY_BACK = (psycopg.errors.CannotCoerce, psycopg.errors.UndefinedFunction)


def read_changed_values(connection: Connection[Any], live_name: str, live: Table, declared: Table,
                        canonical: Table) -> tuple[ChangedValues, ...]:
    """Count, for each column that is to have another type, the rows whose value would be another one; reads every row,
    those of compressed chunks included, for at most five seconds a column."""
    table = ident(live_name)
    return tuple(_count(connection, table, quoted(present.name), written, wanted.type, present)
                 for written, wanted, present in _retyped(live, declared, canonical))


def _retyped(live: Table, declared: Table, canonical: Table) -> Iterator[tuple[Column, Column, Column]]:
    former = {new: old for old, new in renames.column_names(declared, live).items()}
    columns = {column.name: column for column in live.columns}
    for written, wanted in zip(declared.columns, canonical.columns, strict=True):
        present = columns.get(former.get(written.name, written.name))
        if present and present.generated is None and present.type != wanted.type and \
                not conversions.is_exact(present.type, wanted.type):
            yield written, wanted, present


def _count(connection: Connection[Any], table: str, name: str, declared: Column, canonical: str,
           live: Column) -> ChangedValues:
    types = declared.type, canonical, live.type
    condition = conversions.changed(name, *types, collated=live.collation is not None)
    try:
        _ask(connection, f"SELECT 0 FROM {table} WHERE false AND ({condition})")
    except UNASKABLE:
        return ChangedValues(declared.name, None)
    except NO_WAY_BACK:
        return _count_all(connection, table, name, declared)
    try:
        return ChangedValues(declared.name, _ask(connection, f"SELECT count(*) FROM {table} WHERE {condition}"))
    except psycopg.errors.QueryCanceled:
        return ChangedValues(declared.name, None)
    except psycopg.DataError:
        forward = conversions.converted(name, *types)
        return _count_refused(connection, table, name, declared, forward)


def _count_refused(connection: Connection[Any], table: str, name: str, declared: Column,
                   forward: str) -> ChangedValues:
    """Count where converting there and back fails: nothing changes if the server refuses the way there."""
    try:
        _ask(connection, f"SELECT count({forward}) FROM {table}")
    except psycopg.DataError:
        return ChangedValues(declared.name, 0)
    except psycopg.errors.QueryCanceled:
        return ChangedValues(declared.name, None)
    return _count_all(connection, table, name, declared)


def _count_all(connection: Connection[Any], table: str, name: str, declared: Column) -> ChangedValues:
    """Count all values where none can be compared, as there is no way back from the new type."""
    try:
        count = _ask(connection, f"SELECT count({name}) FROM {table}")
    except psycopg.errors.QueryCanceled:
        count = None
    return ChangedValues(declared.name, count, comparable=False)


def _ask(connection: Connection[Any], query: str) -> int | None:
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [COUNTS_FOR])
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else None
