"""Read schemas with their comments and default privileges: one query however many there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.model.declarations.schemas import DefaultGrant, Schema
from schema.model.live.objects import LiveObject


def read(connection: Connection[Any], _: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveObject[Schema]]:
    """The live schema of this name, where it is among the names; every schema is in itself."""
    return {row["name"]: LiveObject(Schema(row["name"], _default_grants(row["default_grants"]), comment=row["comment"]))
            for row in rows(connection, "schemas_with_rights", names=[name for name in names if name == schema])}


def _default_grants(rights: Iterable[tuple[str | None, str, str, str, bool]]) -> tuple[DefaultGrant, ...]:
    privileges: dict[tuple[str | None, str, str, bool], list[str]] = {}
    for by, on, to, privilege, grantable in rights:
        privileges.setdefault((by, on, to, grantable), []).append(privilege)
    return tuple(DefaultGrant(to, tuple(names), on, by, grantable) for (by, on, to, grantable), names
                 in privileges.items())
