"""Plan, make, read and drop one schema object from the properties of its Pulumi resource.

A resource's properties are the declaration (schema.model.properties.to_dict) with `connection`, `options`, in a
preview `preview` and `plan`, and, as an output, `facts`. What else the program declares is not among them: the provider
runs in the program's folder and imports it there. An option that an old state lacks has its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infra.handlers import unfinished_seeds
from infra.handlers.plan_cache import CACHE
from schema import apply
from schema.comparison.compare import Options
from schema.connection import Address
from schema.errors import ServerUnreachableError
from schema.kinds.undeclared import hazard
from schema.lifecompanion import declared as program
from schema.model.objects import Object, Table, kind_of
from schema.model.properties import from_dict, to_dict
from schema.planning.plan import plan_from_empty

if TYPE_CHECKING:
    from infra.settings import Settings

Props = dict[str, Any]
# The environment variable by which `lcdb up` tells the providers that a verified backup holds this stack's rows: "yes".
BACKED_UP = "LCDB_BACKED_UP"
# All other properties are the declaration.
NOT_DECLARED = frozenset({"connection", "options", "preview", "plan", "facts", "__provider"})


def declaration(props: Mapping[str, Any]) -> Props:
    """Return only the properties that declare the object."""
    return {key: value for key, value in props.items() if key not in NOT_DECLARED}


def plan_object(props: Mapping[str, Any], *, server_known: bool) -> list[str]:
    """Plan the object's changes, one text for each step; no text where live equals declared.

    Where the server does not exist yet the plan is for an empty database; where it cannot be reached, the only text is
    `not known yet: ...`. Raises SchemaError.
    """
    declared, options = _object(props), _options(props)
    if not server_known:
        return plan_from_empty([declared]).render()
    try:
        address, context = Address.from_dict(props["connection"]), _context(props)
        steps = () if CACHE.is_settled(declared, address, options, context) else apply.plan(
            address, [declared], options=options, context=context).steps
        loading = (unfinished_seeds.is_announced_by(declared, differs=bool(steps))
                   and unfinished_seeds.is_recorded(address))
    except ServerUnreachableError as error:
        # `up` may be about to start this very server; if not, the update says it again and fails.
        return [f"not known yet: {error}"]
    if loading:
        # No step is marked as refused: it may be one that the load does itself when it puts indexes and keys back.
        return [unfinished_seeds.PLAN, *(step.render() for step in steps)]
    return [step.render(options.allow) for step in steps]


def ensure_object(props: Mapping[str, Any]) -> dict[str, Any]:
    """Make the live object the declared one and return its facts, with warnings; changes nothing where they agree.

    Before a table, a load of development data that was interrupted is finished. Raises SchemaError, SeedError.
    """
    declared, address = _object(props), Address.from_dict(props["connection"])
    CACHE.stop()
    if isinstance(declared, Table):
        unfinished_seeds.finish(address)
    applied = apply.ensure(address, [declared], options=_options(props), context=_context(props))
    return {**applied.facts[declared.full_name], "warnings": list(applied.warnings)}


def read_live(props: Mapping[str, Any]) -> Props | None:
    """Read the live object: the properties with its real declaration in place of the stored one; None if it is gone."""
    live = apply.read(Address.from_dict(props["connection"]), [_object(props)], options=_options(props),
                      context=_context(props))[0]
    if live is None:
        return None
    kept = {key: value for key, value in props.items() if key in NOT_DECLARED}
    return {**to_dict(live), **kept}


def drop(name: str, props: Mapping[str, Any], today: Settings | None = None) -> str:
    """Drop the object if that is allowed, else leave it in place; returns a line for the log that says which.

    `today` is what the stack's settings allow and protect now; without it the object's stored options decide.
    Raises SchemaError.
    """
    declared, options = _object(props), _options(props)
    if today is not None:
        options = replace(options, allow=today.allowed(declared.full_name), protect=frozenset(today.protect))
    needed = hazard(declared)
    if needed not in options.allow and needed not in declared.allow:
        return (f"{name}: the {kind_of(declared)} is no longer declared, and was left in place with all that is in it; "
                f"allow {needed} to drop it")
    CACHE.stop()
    dropped = apply.drop(Address.from_dict(props["connection"]), declared, options=options)
    return f"{name}: dropped" if dropped else f"{name}: was gone already"


def _object(props: Mapping[str, Any]) -> Object:
    return from_dict(declaration(props))


def _context(props: Mapping[str, Any]) -> tuple[Object, ...]:
    """What else the program declares today."""
    return program(props["options"].get("timestamps", "timestamp"))


def _options(props: Mapping[str, Any]) -> Options:
    given = props["options"]
    lag = given.get("max_replica_lag")
    return Options(on_unsupported=given["on_unsupported"], allow=frozenset(given.get("allow", ())),
                   protect=frozenset(given.get("protect", ())), max_replica_lag=None if lag is None else int(lag),
                   backed_up=os.environ.get(BACKED_UP) == "yes")
