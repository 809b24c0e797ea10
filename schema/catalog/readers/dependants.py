"""Read what stands in the way of a change: the views and other objects on columns that change their type or go."""

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
    """The comparisons with their `dependants`, asked for only of the relations (live full names) in `changing`."""
    found = views.read_dependants(connection, list(changing))
    if not found:
        return list(comparisons)
    live = _views(connection, capabilities, [row for each in found.values() for row in each])
    planned = _by_name(declared)
    known = {**_by_name(context), **planned}
    aggregates = _aggregates(connection, capabilities, list(found))

    def dependant(row: Row) -> Dependant:
        name = qualified(row["schema"], row["name"]) if row["kind"] == "v" else row["description"]
        if name.startswith("_timescaledb_internal."):
            name = ", ".join(f"continuous aggregate {each}" for each in aggregates.get(row["base"], (name,)))
        return Dependant(name, row["column"], row["depth"], live.get(name), known.get(name), name in planned)

    return [replace(each, dependants=tuple(dependant(row) for row in found.get(each.renamed or each.name, ())))
            for each in comparisons]


def _by_name(objects: Iterable[Object]) -> dict[str, View]:
    """Declared views by the names that they may bear."""
    return {qualified(each.schema, name): each for each in objects if isinstance(each, View)
            for name in (each.renamed_from, each.name) if name}


def _views(connection: Connection[Any], capabilities: Capabilities, found: Sequence[Row]) -> dict[str, LiveView]:
    names: dict[str, list[str]] = {}
    for row in found:
        if row["kind"] == "v":
            names.setdefault(row["schema"], []).append(row["name"])
    return {live.object.full_name: live for schema, those in names.items()
            for live in views.read(connection, capabilities, schema, those).values()}


def _aggregates(connection: Connection[Any], capabilities: Capabilities,
                names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """The continuous aggregates over these hypertables."""
    if capabilities.timescaledb_version is None:
        return {}
    found: dict[str, list[str]] = {}
    for row in rows(connection, "aggregates_over", names=list(names)):
        found.setdefault(row["base"], []).append(row["name"])
    return found
