"""Read views and the dependants of relations, in a number of queries that does not grow with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, Rows, rows, rows_by
from schema.catalog.readers.functions import rights
from schema.catalog.readers.table_parts import trigger
from schema.model.live.views import LiveView
from schema.model.objects import View, ViewColumn


def read(connection: Connection[Any], capabilities: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveView]:
    """Read the live views of one schema, by name; missing ones and continuous aggregates are absent."""
    triggers = rows_by(connection, "triggers", "table", schema=schema, names=list(names))
    views = {row["name"]: _live(row, schema, triggers.get(row["name"], ()))
             for row in rows(connection, "views", schema=schema, names=list(names))}
    if views and capabilities.timescaledb_version is not None:
        for row in rows(connection, "undeclared_timescaledb", schemas=[schema]):
            if row["kind"] == "aggregate":
                views.pop(row["name"], None)
    return views


def read_dependants(connection: Connection[Any], names: Sequence[str]) -> Rows:
    """Read the dependants of these relations (full names), by relation, the nearest first."""
    return rows_by(connection, "dependants", "base", names=list(names)) if names else {}


def _live(row: Row, schema: str, triggers: Sequence[Row]) -> LiveView:
    view = View(row["name"], row["query"].strip(), row["security_invoker"], row["security_barrier"],
                row["check_option"], tuple(ViewColumn(*described) for described in row["described"]),
                tuple(trigger(row) for row in triggers), schema=schema, comment=row["comment"])
    return LiveView(view, tuple(zip(row["columns"], row["types"], strict=True)), rights(row), tuple(row["rules"]))
