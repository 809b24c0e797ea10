"""The declared schema as Pulumi resources, one for each object after those it stands on, and the development data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from infra.components import Component
from infra.program.access import OWNER, Access, inside
from infra.resources import OBJECTS, SchemaObject, Seed
from infra.server import Server
from infra.settings import Settings
from schema import lint
from schema.errors import DeclarationError
from schema.lifecompanion import declared
from schema.model import objects as declarations
from schema.model.change import dependencies
from schema.model.properties import to_dict

DeclaredObjects = Mapping[declarations.Object, SchemaObject]


def declare_schema(settings: Settings, server: Server, access: Access) -> DeclaredObjects:
    """Declare every object of the schema, applied as the owner; the resources by their declarations.

    Raises DeclarationError where objects do not fit together.
    """
    login = access.connection(server, OWNER)
    objects = declared(timestamps=settings.timestamps)
    lint.lint(objects)
    require_order(dependencies.ordered(objects))
    for warning in lint.warnings(objects):
        pulumi.log.warn(warning)
    component = Component("Schema")
    labels = _labels(objects)
    resources: dict[declarations.Object, SchemaObject] = {}
    for value in dependencies.ordered(objects):
        after = [resources[other] for other in _dependencies_of(value, objects) if other in resources]
        opts = inside(
            server, component, depends_on=[*access.ready, *after], renamed_from=_former(value),
            # What is no longer declared is handed to `delete`, which leaves it in place and says so, also on a host.
            retain_on_delete=False, protect=value.full_name in settings.protect or None)
        resources[value] = OBJECTS[type(value)](labels[value], login, to_dict(value), _options(settings, value), opts)
    component.register_outputs({"objects": [value.full_name for value in resources]})
    return resources


def declare_seed(settings: Settings, server: Server, access: Access, objects: DeclaredObjects) -> Seed | None:
    """Declare the development data, loaded once, where the stack wants it."""
    if not settings.seed:
        return None
    component = Component("Data")
    seed = Seed("seed", access.connection(server, OWNER), settings.seed_number, settings.seed_volume,
                opts=inside(server, component, depends_on=list(objects.values())))
    component.register_outputs({"rows": seed.counts})
    return seed


def require_order(objects: Sequence[declarations.Object]) -> None:
    """Refuse a foreign key to a table that comes later: Pulumi creates one resource after the other, and tables which
    refer to each other have none to begin with. Raises DeclarationError.
    """
    coming = {value.full_name for value in objects if isinstance(value, declarations.Table)}
    for value in objects:
        coming.discard(value.full_name)
        for key in value.foreign_keys if isinstance(value, declarations.Table) else ():
            if key.table in coming:
                raise DeclarationError(
                    f"{value.full_name}.{key.name}: found a foreign key to {key.table}, which refers back to "
                    f"{value.full_name}; a stack creates a table after those it refers to: leave one of the keys out, "
                    "or apply such tables with lcdb schema apply, which adds the keys at the end")


def _labels(objects: tuple[declarations.Object, ...]) -> Mapping[declarations.Object, str]:
    """Return the resources' names: the objects'; further functions of one name have their arguments behind it."""
    first: dict[tuple[type[declarations.Object], str], declarations.Object] = {}
    for value in objects:
        first.setdefault((type(value), value.full_name), value)
    return {value: value.full_name if first[type(value), value.full_name] == value else value.identity
            for value in objects}


def _dependencies_of(declared: declarations.Object,
                     objects: tuple[declarations.Object, ...]) -> list[declarations.Object]:
    """List the objects that its SQL names, and the tables of its foreign keys."""
    keys = {key.table for key in declared.foreign_keys} if isinstance(declared, declarations.Table) else set()
    named = dependencies.needs(declared, objects)
    return [other for other in objects if other in named
            or (isinstance(other, declarations.Table) and other.full_name in keys)]


def _former(declared: declarations.Object) -> str | None:
    """Return the resource's former name, where the object is renamed: the resource stays the same."""
    return declarations.qualified(declared.schema, declared.renamed_from) if declared.renamed_from else None


def _options(settings: Settings, declared: declarations.Object) -> dict[str, object]:
    """Return what changes to the object are allowed on this stack."""
    lag = {"max_replica_lag": settings.max_replica_lag} if settings.max_replica_lag else {}
    return {"on_unsupported": settings.on_unsupported, "timestamps": settings.timestamps,
            "allow": sorted(settings.allowed(declared.full_name)),
            "protect": sorted(settings.protect), **lag}
