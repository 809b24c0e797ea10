"""Between Pulumi's properties and the schema engine: what one schema resource plans, makes, reads and drops.

A resource's properties are the declaration (schema.model.properties.to_dict) with `connection`, `options`, in a
preview `preview` and `plan`, and, as an output, `facts`. What else the program declares is not among them: the provider
runs in the program's folder and asks there. Options that an old state lacks are at their defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infra.handlers import unfinished_seeds
from infra.handlers.plan_cache import SHARED
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
# What `lcdb up` tells the providers that it starts: a verified backup holds the rows of this stack.
BACKED_UP = "LCDB_BACKED_UP"
BESIDE = frozenset({"connection", "options", "preview", "plan", "facts", "__provider"})


def declaration(props: Mapping[str, Any]) -> Props:
    """The properties that say what is wanted."""
    return {key: value for key, value in props.items() if key not in BESIDE}


def planned(props: Mapping[str, Any], *, server_known: bool) -> list[str]:
    """The plan as lines of text; for a server that is not there yet, the plan for an empty database."""
    declared, options = _object(props), _options(props)
    if not server_known:
        return plan_from_empty([declared]).render()
    try:
        address, context = Address.from_dict(props["connection"]), _context(props)
        steps = () if SHARED.finds_settled(declared, address, options, context) else apply.plan(
            address, [declared], options=options, context=context).steps
        loading = unfinished_seeds.tells_of(declared, differs=bool(steps)) and unfinished_seeds.is_recorded(address)
    except ServerUnreachableError as error:
        # `up` may be about to start this very server; if not, the update says it again and fails.
        return [f"not known yet: {error}"]
    if loading:
        # What is refused for now may be what the load puts back itself.
        return [unfinished_seeds.PLAN, *(step.render() for step in steps)]
    return [step.render(options.allow) for step in steps]


def ensured(props: Mapping[str, Any]) -> dict[str, Any]:
    """Make the live object the declared one and return its facts; of a table, once no load into it is unfinished."""
    declared, address = _object(props), Address.from_dict(props["connection"])
    SHARED.stop()
    if isinstance(declared, Table):
        unfinished_seeds.finish(address)
    applied = apply.ensure(address, [declared], options=_options(props), context=_context(props))
    return {**applied.facts[declared.full_name], "warnings": list(applied.warnings)}


def live(props: Mapping[str, Any]) -> Props | None:
    """The properties with the live object's in place of the declared ones; None where it is gone."""
    found = apply.read(Address.from_dict(props["connection"]), [_object(props)], options=_options(props),
                       context=_context(props))[0]
    if found is None:
        return None
    beside = {key: value for key, value in props.items() if key in BESIDE}
    return {**to_dict(found), **beside}


def drop(name: str, props: Mapping[str, Any], today: Settings | None = None) -> str:
    """Drop the object where its options, or today's, allow it; returns what was done, for the log."""
    declared, options = _object(props), _options(props)
    if today is not None:
        options = replace(options, allow=today.allowed(declared.full_name), protect=frozenset(today.protect))
    needed = hazard(declared)
    if needed not in options.allow and needed not in declared.allow:
        return (f"{name}: the {kind_of(declared)} is no longer declared, and was left in place with all that is in it; "
                f"allow {needed} to drop it")
    SHARED.stop()
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
