"""Read functions and procedures, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows_by
from schema.model.live import LiveFunction, Rights
from schema.model.objects import Function


def read(connection: Connection[Any], _: Capabilities, schema: str, names: Sequence[str]) -> dict[str, LiveFunction]:
    """Read the live functions of one schema, by name; of several of one name, the oldest with the others as
    `overloads`.
    """
    by_name = rows_by(connection, "functions", "name", schema=schema, names=list(names))
    return {name: _with_overloads([_live(row, schema) for row in rows]) for name, rows in by_name.items()}


def rights(row: Row) -> Rights:
    """Convert a catalog row into the grants and owner of a function or view."""
    return Rights(tuple((words, column, role) for words, column, role in row["granted"]), tuple(row["withdrawn"]),
                  row["owner"])


def _with_overloads(functions: Sequence[LiveFunction]) -> LiveFunction:
    return replace(functions[0], overloads=tuple(functions[1:]))


def _live(row: Row, schema: str) -> LiveFunction:
    function = Function(
        row["name"], body=row["body"], arguments=row["arguments"], returns=None if row["procedure"] else row["returns"],
        language=row["language"], volatility=row["volatility"], parallel=row["parallel"], strict=row["strict"],
        security_definer=row["security_definer"], settings=tuple(row["settings"]), schema=schema,
        comment=row["comment"])
    return LiveFunction(function, row["signature"], row["inputs"], rights(row), tuple(row["dependants"]))
