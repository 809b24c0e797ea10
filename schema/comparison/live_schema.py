"""Read what the server has of the declared objects, and of the schemas that they are in. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import rows
from schema.catalog.readers import undeclared
from schema.comparison.declaration import Declaration, Key
from schema.kinds import registry
from schema.kinds.undeclared import TYPES
from schema.model.live.objects import Live, Undeclared
from schema.model.objects import Object


@dataclass(frozen=True)
class LiveSchema:
    """Live objects by (class, full name), those that nobody declares, and the declared schemas that do not exist.

    `undeclared` is read only where the run is for the whole schema.
    """

    objects: Mapping[Key, Live] = field(default_factory=dict)
    undeclared: Sequence[Undeclared] = ()
    missing_schemas: Sequence[str] = ()


def read_schema(connection: Connection[Any], declaration: Declaration) -> LiveSchema:
    """Read the live side of a declaration; the number of queries does not grow with the number of objects."""
    objects = read_objects(connection, declaration.capabilities, declaration.declared)
    extra = undeclared.read(connection, declaration.capabilities, declaration.objects, TYPES) \
        if declaration.options.whole_schema else ()
    return LiveSchema(objects, extra, _missing_schemas(connection, declaration))


def read_objects(connection: Connection[Any], capabilities: Capabilities,
                 objects: Sequence[Object]) -> Mapping[Key, Live]:
    """Read what the server has under the objects' names and their former ones, by (class, full name)."""
    by_key: dict[Key, Live] = {}
    for cls in dict.fromkeys(map(type, objects)):
        of_class = [declared for declared in objects if type(declared) is cls]
        kind = registry.of(cls)
        if kind.find is not None:
            by_key.update({(cls, name): live for name, live in kind.find(connection, capabilities, of_class).items()})
            continue
        for schema in dict.fromkeys(declared.schema for declared in of_class):
            names = [name for declared in of_class if declared.schema == schema
                     for name in (declared.name, declared.renamed_from) if name]
            for live in kind.read(connection, capabilities, schema, names).values():
                by_key[cls, live.object.full_name] = live
    return by_key


def _missing_schemas(connection: Connection[Any], declaration: Declaration) -> list[str]:
    schemas = sorted({declared.schema for declared in declaration.declared} - {"public"})
    if not schemas:
        return []
    existing = {row["name"] for row in rows(connection, "schemas", names=schemas)}
    return [name for name in schemas if name not in existing]
