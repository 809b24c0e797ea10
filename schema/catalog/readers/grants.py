"""Read owners and grants of objects: one query for all of them, one more for what new ones get by default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from psycopg import Connection

from schema.catalog.queries import Row, rows
from schema.model.live.objects import LiveGrants
from schema.model.objects import Grant

# (catalog, schema, name, a function's types of arguments), and (schema, pg_default_acl's letter).
Objects = Mapping[tuple[str, str, str, str], LiveGrants]
Defaults = Mapping[tuple[str, str], LiveGrants]


def read(connection: Connection[Any], schemas: Collection[str]) -> Objects:
    """The owners and grants of all that is in these schemas."""
    by_object: dict[tuple[str, str, str, str], list[Row]] = {}
    for row in rows(connection, "grants", schemas=list(schemas)):
        by_object.setdefault((row["catalog"], row["schema"], row["name"], row["inputs"]), []).append(row)
    return {key: LiveGrants(parts[0]["owner"], grants(right for part in parts for right in part["granted"]),
                            is_own=not parts[0]["foreign_owner"],
                            is_usual=all(part["usual"] for part in parts), is_kept=all(part["kept"] for part in parts),
                            is_governed=any(part["governed"] for part in parts))
            for key, parts in by_object.items()}


def read_defaults(connection: Connection[Any], schemas: Collection[str]) -> Defaults:
    """What others may do with an object that this login creates."""
    return {(row["schema"], row["kind"]): LiveGrants(None, grants(row["granted"]))
            for row in rows(connection, "default_grants", schemas=list(schemas))}


def read_roles(connection: Connection[Any], names: Collection[str]) -> set[str]:
    """Those of these roles that the server has."""
    found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(names)]).fetchall()
    return {name for name, in found}


def grants(rights: Iterable[tuple[str, str, str | None, bool]]) -> tuple[Grant, ...]:
    """The rights (role, privilege, column, grantable) as declarations: in their order, what goes together in one."""
    by_target: dict[tuple[str, str | None, bool], list[str]] = {}
    for to, privilege, column, grantable in rights:
        by_target.setdefault((to, column, grantable), []).append(privilege)
    by_column: dict[tuple[str, tuple[str, ...], bool, bool], list[str]] = {}
    for (to, column, grantable), privileges in by_target.items():
        columns = by_column.setdefault((to, tuple(privileges), grantable, column is None), [])
        columns += [column] if column is not None else []
    return tuple(Grant(to, privileges, tuple(columns), grantable)
                 for (to, privileges, grantable, _), columns in by_column.items())
