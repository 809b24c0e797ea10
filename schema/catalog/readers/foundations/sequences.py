"""Read sequences: one query however many there are."""

from __future__ import annotations

from collections import abc
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.model.declarations.foundations import Sequence
from schema.model.live.objects import LiveObject


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: abc.Sequence[str]) -> dict[str, LiveObject[Sequence]]:
    """The live sequences of one schema by name; absent ones, and those of identity columns, are absent."""
    return {row["name"]: LiveObject(Sequence(**row, schema=schema))
            for row in rows(connection, "sequences", schema=schema, names=list(names))}
