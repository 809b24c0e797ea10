"""Read materialized views with their indexes: two queries however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows, rows_by
from schema.catalog.readers.functions import rights
from schema.catalog.readers.table_parts import index
from schema.model.live.views import LiveMaterializedView
from schema.model.objects import MaterializedView, ViewColumn


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveMaterializedView]:
    """The live materialized views of one schema by name; absent ones are absent."""
    found = rows(connection, "materialized_views", schema=schema, names=list(names))
    indexes = rows_by(connection, "indexes", "table", schema=schema, names=[row["name"] for row in found]) \
        if found else {}
    return {row["name"]: _live(row, schema, indexes.get(row["name"], ())) for row in found}


def _live(row: Row, schema: str, indexes: Sequence[Row]) -> LiveMaterializedView:
    view = MaterializedView(
        row["name"], row["query"].strip(), tuple(map(index, indexes)),
        tuple(ViewColumn(*described) for described in row["described"]), tuple(row["options"]), row["tablespace"],
        row["method"], row["populated"], schema=schema, comment=row["comment"])
    return LiveMaterializedView(view, tuple(row["columns"]), rights(row), tuple(row["settings"]), row["beneath"])
