"""Read enums, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.model.live.objects import LiveObject
from schema.model.objects import Enum


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveObject[Enum]]:
    """Read the live enums of one schema, by name; missing ones are absent."""
    return {row["name"]: LiveObject(Enum(row["name"], tuple(row["values"]), schema=schema, comment=row["comment"]))
            for row in rows(connection, "enums", schema=schema, names=list(names))}
