"""Between Pulumi's properties and the schema engine: what one schema resource plans, makes, reads and drops.

A resource's properties are the declaration (schema.objects.to_dict) and beside it `connection`, `options`, in a preview
`preview` and `plan`, and, as an output, `facts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema import apply
from schema.compare import Options
from schema.connection import Address
from schema.errors import ServerUnreachableError
from schema.objects import Object
from schema.plan import plan_from_empty
from schema.properties import from_dict, to_dict
from schema.step import Hazard

Props = dict[str, Any]
BESIDE = frozenset({"connection", "options", "preview", "plan", "facts", "__provider"})


def declaration(props: Mapping[str, Any]) -> Props:
    """The properties that say what is wanted."""
    return {key: value for key, value in props.items() if key not in BESIDE}


def planned(props: Mapping[str, Any], *, server_known: bool) -> list[str]:
    """The plan as lines of text; for a server that is not there yet, the plan for an empty database."""
    declared = _object(props)
    if not server_known:
        return plan_from_empty([declared]).render()
    try:
        found = apply.plan(Address.from_dict(props["connection"]), [declared], options=_options(props))
    except ServerUnreachableError as error:
        # `up` may be about to start this very server; if not, the update says it again and fails.
        return [f"not known yet: {error}"]
    return found.render()


def ensured(props: Mapping[str, Any]) -> dict[str, Any]:
    """Make the live table the declared one and return its facts."""
    declared = _object(props)
    applied = apply.ensure(Address.from_dict(props["connection"]), [declared], options=_options(props))
    return {**applied.facts[declared.full_name], "warnings": list(applied.warnings)}


def live(props: Mapping[str, Any]) -> Props | None:
    """The properties with the live table's in place of the declared ones; None where it is gone."""
    found = apply.read(Address.from_dict(props["connection"]), [_object(props)], options=_options(props))[0]
    if found is None:
        return None
    beside = {key: value for key, value in props.items() if key in BESIDE}
    return {**to_dict(found), **beside}


def drop(name: str, props: Mapping[str, Any]) -> str:
    """Drop the table where its options allow it; returns what was done, for the log."""
    options = _options(props)
    if Hazard.DROPS_TABLE not in options.allow:
        return f"{name}: no longer declared, and left in place with its rows; allow {Hazard.DROPS_TABLE} to drop it"
    dropped = apply.drop(Address.from_dict(props["connection"]), _object(props), options=options)
    return f"{name}: dropped" if dropped else f"{name}: was gone already"


def _object(props: Mapping[str, Any]) -> Object:
    return from_dict(declaration(props))


def _options(props: Mapping[str, Any]) -> Options:
    given = props["options"]
    return Options(on_unsupported=given["on_unsupported"], allow=frozenset(given.get("allow", ())))
