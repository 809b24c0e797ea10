"""Read functions and procedures, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows, rows_by
from schema.model.live.objects import Rights
from schema.model.live.routines import LiveFunction
from schema.model.objects import Function


def read(connection: Connection[Any], _: Capabilities, schema: str, names: Sequence[str]) -> dict[str, LiveFunction]:
    """Read the live functions of one schema, by name; of several of one name, the oldest with the others as
    `overloads`.
    """
    by_name = rows_by(connection, "functions", "name", schema=schema, names=list(names))
    parsed = [row["oid"] for several in by_name.values() for row in several if row["parsed"]]
    bodies = {row["oid"]: row["body"] for row in rows(connection, "function_bodies", oids=parsed)} if parsed else {}
    return {name: _with_overloads([_live(row, schema, bodies.get(row["oid"])) for row in several])
            for name, several in by_name.items()}


def rights(row: Row) -> Rights:
    """Convert a catalog row into the grants and owner of a function or view."""
    return Rights(tuple((words, column, role) for words, column, role in row["granted"]), tuple(row["withdrawn"]),
                  row["owner"])


def _with_overloads(functions: Sequence[LiveFunction]) -> LiveFunction:
    return replace(functions[0], overloads=tuple(functions[1:]))


def _live(row: Row, schema: str, parsed: str | None) -> LiveFunction:
    function = Function(
        row["name"], body=row["body"] if parsed is None else parsed,
        arguments=row["arguments"], returns=None if row["procedure"] else row["returns"],
        language=row["language"], volatility=row["volatility"], parallel=row["parallel"], strict=row["strict"],
        security_definer=row["security_definer"], settings=tuple(row["settings"]),
        leakproof=row["leakproof"], cost=_number(row["cost"]), rows=_number(row["rows"]), support=row["support"],
        window=row["window"], transforms=tuple(row["transforms"]), library=row["library"], schema=schema,
        comment=row["comment"])
    return LiveFunction(function, row["signature"], row["inputs"], rights(row), tuple(row["dependants"]))


def _number(value: float | None) -> float | None:
    """A whole number as one, so that it is written without a point."""
    return int(value) if value is not None and value.is_integer() else value
