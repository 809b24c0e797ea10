"""Read extensions, also those that the server could create: one query however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.model.declarations.foundations import Extension
from schema.model.live.objects import LiveObject


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveObject[Extension]]:
    """The live extensions of one schema by name; absent ones are absent."""
    return {row["name"]: _live(row) for row in read_availability(connection, names) if row["schema"] == schema}


def read_declared(connection: Connection[Any], _: Capabilities,
                  declared: Sequence[Extension]) -> dict[str, LiveObject[Extension]]:
    """The live extensions of these names, whichever schema they are in, by the full names that are declared."""
    full_names = {extension.name: extension.full_name for extension in declared}
    return {full_names[row["name"]]: _live(row) for row in read_availability(connection, list(full_names))
            if row["version"] is not None}


def read_availability(connection: Connection[Any], names: Sequence[str]) -> list[Row]:
    """One row for each name: `version` and `schema` (None: it does not exist), the `versions` that the server has files
    of, and whether this login is `forbidden` to create it."""
    return rows(connection, "extension_availability", names=list(names))


def _live(row: Row) -> LiveObject[Extension]:
    return LiveObject(Extension(row["name"], row["version"], schema=row["schema"], comment=row["comment"]))
