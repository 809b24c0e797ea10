"""Read extended statistics, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.aggregates.aggregate_query import split
from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.model.live.objects import LiveObject
from schema.model.objects import Statistics


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveObject[Statistics]]:
    """Read the live extended statistics of one schema, by name; missing ones are absent."""
    return {row["name"]: LiveObject(Statistics(row["name"], row["table"], tuple(row["columns"]), tuple(row["kinds"]),
                                          _expressions(row["expressions"]), schema=schema, comment=row["comment"]))
            for row in rows(connection, "statistics", schema=schema, names=list(names))}


def _expressions(text: str) -> tuple[str, ...]:
    return tuple(split(text)) if text else ()
