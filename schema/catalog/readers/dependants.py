"""Read what blocks a change: the views and other objects that depend on columns to be retyped or dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.catalog.readers import views
from schema.model.live import Compared, Dependant, LiveView
from schema.model.objects import Object, View, qualified


def with_dependants(connection: Connection[Any], capabilities: Capabilities, comparisons: Sequence[Compared[Any, Any]],
                    changing: Collection[str], declared: Iterable[Object],
                    context: Iterable[Object]) -> list[Compared[Any, Any]]:
    """Return the comparisons with their `dependants`, read only for the relations (live full names) in `changing`."""
    dependant_rows = views.read_dependants(connection, list(changing))
    if not dependant_rows:
        return list(comparisons)
    live = _views(connection, capabilities, [row for group in dependant_rows.values() for row in group])
    planned = _by_name(declared)
    known = {**_by_name(context), **planned}
    aggregates = _aggregates(connection, capabilities, list(dependant_rows))

    def dependant(row: Row) -> Dependant:
        name = qualified(row["schema"], row["name"]) if row["kind"] == "v" else row["description"]
        if name.startswith("_timescaledb_internal."):
            name = ", ".join(f"continuous aggregate {aggregate}" for aggregate in aggregates.get(row["base"], (name,)))
        return Dependant(name, row["column"], row["depth"], live.get(name), known.get(name), name in planned)

    return [replace(comparison, dependants=tuple(
        dependant(row) for row in dependant_rows.get(comparison.renamed or comparison.name, ())))
            for comparison in comparisons]


def _by_name(objects: Iterable[Object]) -> dict[str, View]:
    """Map the declared views by present and former name."""
    return {qualified(view.schema, name): view for view in objects if isinstance(view, View)
            for name in (view.renamed_from, view.name) if name}


def _views(connection: Connection[Any], capabilities: Capabilities,
           dependant_rows: Sequence[Row]) -> dict[str, LiveView]:
    names: dict[str, list[str]] = {}
    for row in dependant_rows:
        if row["kind"] == "v":
            names.setdefault(row["schema"], []).append(row["name"])
    return {live.object.full_name: live for schema, those in names.items()
            for live in views.read(connection, capabilities, schema, those).values()}


def _aggregates(connection: Connection[Any], capabilities: Capabilities,
                names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Read the continuous aggregates over these hypertables."""
    if capabilities.timescaledb_version is None:
        return {}
    by_hypertable: dict[str, list[str]] = {}
    for row in rows(connection, "aggregates_over", names=list(names)):
        by_hypertable.setdefault(row["base"], []).append(row["name"])
    return by_hypertable
