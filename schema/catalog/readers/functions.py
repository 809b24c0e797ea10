"""Read functions and procedures: one query however many there are."""

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
    """The live functions of one schema by name, the oldest of each name with the others as its `overloads`."""
    found = rows_by(connection, "functions", "name", schema=schema, names=list(names))
    return {name: _with_overloads([_live(row, schema) for row in rows]) for name, rows in found.items()}


def rights(row: Row) -> Rights:
    """Grants and owner of a function or view."""
    return Rights(tuple((words, column, role) for words, column, role in row["granted"]), tuple(row["withdrawn"]),
                  row["owner"])


def _with_overloads(found: Sequence[LiveFunction]) -> LiveFunction:
    return replace(found[0], overloads=tuple(found[1:]))


def _live(row: Row, schema: str) -> LiveFunction:
    function = Function(
        row["name"], body=row["body"], arguments=row["arguments"], returns=None if row["procedure"] else row["returns"],
        language=row["language"], volatility=row["volatility"], parallel=row["parallel"], strict=row["strict"],
        security_definer=row["security_definer"], settings=tuple(row["settings"]), schema=schema,
        comment=row["comment"])
    return LiveFunction(function, row["signature"], row["inputs"], rights(row), tuple(row["dependants"]))
