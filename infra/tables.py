"""The declared schema as Pulumi resources, one for each table after those it refers to, and the development data."""

from __future__ import annotations

import pulumi

from infra.access import OWNER, Access, inside
from infra.resources import Seed, Table
from infra.server import Server
from infra.settings import Settings
from schema import objects as declarations
from schema.lifecompanion import declared
from schema.properties import to_dict


def declare_schema(settings: Settings, server: Server, access: Access) -> dict[str, Table]:
    """Declare every table of the specification, applied as the owner; the resources by table name."""
    login = access.connection(server, OWNER)
    options = {"on_unsupported": settings.on_unsupported, "allow": sorted(settings.allow_hazards)}
    made: dict[str, Table] = {}
    for table in declared(timestamps=settings.timestamps):
        keys = table.foreign_keys if isinstance(table, declarations.Table) else ()
        after: list[pulumi.Resource] = [*access.ready, *(made[key.table] for key in keys)]
        made[table.name] = Table(table.name, login, to_dict(table), options,
                                 opts=inside(server, depends_on=after))
    return made


def declare_seed(settings: Settings, server: Server, access: Access, tables: dict[str, Table]) -> Seed | None:
    """Declare the development data, loaded once, where the stack wants it."""
    if not settings.seed:
        return None
    return Seed("seed", access.connection(server, OWNER), settings.seed_number,
                opts=inside(server, depends_on=list(tables.values())))
