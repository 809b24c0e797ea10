"""Relations whose rows the login may not see: nothing is asked of them, and they count as filled."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from psycopg import Connection

from schema.catalog.queries import rows

# (schema, name), as the catalog has them.
Relation = tuple[str, str]


def read_unreadable(connection: Connection[Any], relations: Collection[Relation]) -> set[Relation]:
    """Return those of the relations that this login may not SELECT from, or not see all rows of; one query."""
    if not relations:
        return set()
    asked = list(relations)
    hidden = rows(connection, "unreadable", schemas=[schema for schema, _ in asked], names=[name for _, name in asked])
    return {(row["schema"], row["name"]) for row in hidden}
