"""Read aggregate functions: one query however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows_by
from schema.catalog.readers.functions import rights
from schema.model.live.routines import LiveAggregateFunction
from schema.model.objects import Aggregate, Declared

OF_ALL = {field.name for field in fields(Declared)} - {"name", "comment"}
ATTRIBUTES = tuple(field.name for field in fields(Aggregate) if field.name not in OF_ALL)


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveAggregateFunction]:
    """The live aggregate functions of one schema by name, the oldest of each with the others as its `overloads`."""
    found = rows_by(connection, "aggregate_functions", "name", schema=schema, names=list(names))
    return {name: _with_overloads([_live(row, schema) for row in several]) for name, several in found.items()}


def _with_overloads(found: Sequence[LiveAggregateFunction]) -> LiveAggregateFunction:
    return replace(found[0], overloads=tuple(found[1:]))


def _live(row: Row, schema: str) -> LiveAggregateFunction:
    aggregate = Aggregate(schema=schema, **{name: row[name] for name in ATTRIBUTES})
    return LiveAggregateFunction(aggregate, row["returns"], row["inputs"], rights(row), tuple(row["dependants"]))
