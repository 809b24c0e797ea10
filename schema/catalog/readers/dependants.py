"""Read what blocks a change: the views and other objects that depend on columns to be retyped or dropped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.catalog.readers import views
from schema.model.live.views import Dependant, LiveView
from schema.model.objects import Object, Table, View, qualified


def read_dependants(connection: Connection[Any], capabilities: Capabilities, relations: Collection[str],
                    declared: Iterable[Object], context: Iterable[Object]) -> dict[str, tuple[Dependant, ...]]:
    """Read what depends on these relations (live full names), by relation; no entry where nothing does.

    `declared` are the objects that are planned, `context` is what else the program declares.
    """
    found = views.read_dependants(connection, list(relations))
    if not found:
        return {}
    live = _views(connection, capabilities, [row for dependants in found.values() for row in dependants])
    planned = {value.full_name for value in declared if not isinstance(value, Table)}
    planned |= _by_name(declared).keys()
    known = {**_by_name(context), **_by_name(declared)}
    aggregates = _aggregates(connection, capabilities, list(found))

    def dependant(row: Row) -> Dependant:
        name = qualified(row["schema"], row["name"]) if row["kind"] == "v" else row["description"]
        stands_for: Sequence[str] = [qualified(row["schema"], row["name"])] if row["kind"] else [name]
        if name.startswith("_timescaledb_internal."):
            stands_for = aggregates.get(row["base"], (name,))
            name = ", ".join(f"continuous aggregate {aggregate}" for aggregate in stands_for)
        return Dependant(name, row["column"], row["depth"], live.get(name), known.get(name),
                         planned.issuperset(stands_for), objects=frozenset(stands_for))

    return {relation: tuple(map(dependant, dependants)) for relation, dependants in found.items()}


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
