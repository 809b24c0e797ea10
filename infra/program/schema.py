"""The declared schema as Pulumi resources, one for each object after those it stands on, and the development data."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from infra.program.access import OWNER, Access, inside
from infra.resources import OBJECTS, SchemaObject, Seed
from infra.server import Server
from infra.settings import Settings
from schema import lint
from schema.lifecompanion import declared
from schema.model import dependencies
from schema.model import objects as declarations
from schema.model.properties import to_dict

DeclaredObjects = Mapping[declarations.Object, SchemaObject]


def declare_schema(settings: Settings, server: Server, access: Access) -> DeclaredObjects:
    """Declare every object of the schema, applied as the owner; the resources by their declarations.

    Raises DeclarationError where objects do not fit together.
    """
    login = access.connection(server, OWNER)
    objects = declared(timestamps=settings.timestamps)
    lint.lint(objects)
    for warning in lint.warnings(objects):
        pulumi.log.warn(warning)
    made: dict[declarations.Object, SchemaObject] = {}
    for each in dependencies.ordered(objects):
        after = [made[other] for other in _stands_on(each, objects) if other in made]
        opts = pulumi.ResourceOptions.merge(
            inside(server, depends_on=[*access.ready, *after]),
            # What is no longer declared is handed to `delete`, which leaves it in place and says so, also on a host.
            pulumi.ResourceOptions(retain_on_delete=False, protect=each.full_name in settings.protect or None,
                                   aliases=_former(each)))
        made[each] = OBJECTS[type(each)](each.full_name, login, to_dict(each), _options(settings, each), opts)
    return made


def declare_seed(settings: Settings, server: Server, access: Access, objects: DeclaredObjects) -> Seed | None:
    """Declare the development data, loaded once, where the stack wants it."""
    if not settings.seed:
        return None
    return Seed("seed", access.connection(server, OWNER), settings.seed_number, settings.seed_volume,
                opts=inside(server, depends_on=list(objects.values())))


def _stands_on(each: declarations.Object, objects: tuple[declarations.Object, ...]) -> list[declarations.Object]:
    """What its SQL names, and the tables that its rows refer to."""
    keys = {key.table for key in each.foreign_keys} if isinstance(each, declarations.Table) else set()
    named = dependencies.needs(each, objects)
    return [other for other in objects if other in named
            or (isinstance(other, declarations.Table) and other.full_name in keys)]


def _former(each: declarations.Object) -> list[pulumi.Input[str | pulumi.Alias]]:
    """The resource's former name, where the object had another: it is the same resource."""
    return [pulumi.Alias(name=declarations.qualified(each.schema, each.renamed_from))] if each.renamed_from else []


def _options(settings: Settings, each: declarations.Object) -> dict[str, object]:
    """How far a change to the object may go on this stack."""
    lag = {"max_replica_lag": settings.max_replica_lag} if settings.max_replica_lag else {}
    return {"on_unsupported": settings.on_unsupported, "timestamps": settings.timestamps,
            "allow": sorted(settings.allowed(each.full_name)),
            "protect": sorted(settings.protect), **lag}
