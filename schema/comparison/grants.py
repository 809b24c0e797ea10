"""Owners and grants of the live objects whose declarations have some; asks nothing where none has. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from schema.catalog.readers import grants as reader
from schema.errors import DeclarationError
from schema.kinds import grants
from schema.model.change.diff import Match
from schema.model.live.objects import LiveGrants
from schema.model.objects import Object


def read_grants(connection: Connection[Any], matches: Sequence[Match[Any, Any]]) -> Mapping[Object, LiveGrants]:
    """Return owner and grants by declaration; for an object that does not exist, those that it will have at first.

    Raises DeclarationError that names roles which the server does not have.
    """
    named = grants.roles(match.declared for match in matches)
    missing = sorted(named.keys() - reader.read_roles(connection, named)) if named else []
    if missing:
        raise DeclarationError(f"{named[missing[0]]}: role {', '.join(missing)} is declared to have rights, and is not "
                               "on this server; create it, or take it out of the declaration")
    asked = [match for match in matches if match.declared.grants is not None or match.declared.owner is not None]
    if not asked:
        return {}
    schemas = {match.declared.schema for match in asked}
    live = reader.read(connection, schemas)
    defaults = reader.read_defaults(connection, schemas) if any(match.live is None for match in asked) else {}
    found: dict[Object, LiveGrants] = {}
    for match in asked:
        declared, kind = match.declared, grants.GRANTABLE[type(match.declared)]
        name = match.live_name.removeprefix(f"{declared.schema}.")
        present = live.get((kind.catalog, declared.schema, name, getattr(match.live, "inputs", ""))) \
            if match.live else defaults.get((declared.schema, kind.letter))
        if present is not None:
            found[declared] = present
    return found
