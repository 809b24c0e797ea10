"""The stack's outputs: where everything is and how to log in; whatever holds a password is a secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from infra.program import outputs
from infra.program.access import REPLICATOR, ROLES, Access, connection
from infra.program.backups import Backups
from infra.program.schema import DeclaredObjects
from infra.program.storage import Storage
from infra.resources import Seed
from infra.server import ReadAddress, Server
from infra.settings import Settings
from schema.model.objects import Table, kind_of

# A replicator logs in to no database.
PEOPLE = tuple(role for role in ROLES if role != REPLICATOR)


def export_all(settings: Settings, server: Server, access: Access, reads: Sequence[ReadAddress], storage: Storage,
               objects: DeclaredObjects, seed: Seed | None, backups: Backups) -> None:
    """Export what people, the command line and Laravel read."""
    logins: pulumi.Output[dict[str, Any]] = pulumi.Output.secret(pulumi.Output.all(
        admin=connection(server, settings.database, server.admin_user, server.admin_password),
        **{role: access.connection(server, role) for role in PEOPLE}))
    replicas = pulumi.Output.all(*(
        pulumi.Output.all(name=read.name, host=read.host, port=read.port) for read in reads))
    both = pulumi.Output.all(logins, replicas)

    pulumi.export("target", server.target)
    pulumi.export("image", server.image)
    pulumi.export("leaves_out", [*server.leaves_out, *storage.leaves_out, *backups.leaves_out])
    pulumi.export("primary", {"host": server.host, "port": server.port, "database": settings.database,
                              **({"container": server.container} if server.container else {})})
    pulumi.export("replicas", replicas)
    pulumi.export("logins", logins.apply(
        lambda known: {role: {**login, "dsn": outputs.dsn(login)} for role, login in known.items()}))
    pulumi.export("laravel_env", both.apply(lambda known: outputs.laravel_env(known[0]["app"], known[1])))
    pulumi.export("laravel_database_php", outputs.LARAVEL_DATABASE_PHP)
    pulumi.export("pg_service", both.apply(lambda known: outputs.pg_service(*known)))
    pulumi.export("bucket", storage.facts)
    pulumi.export("backup", backups.config)
    pulumi.export("schedule", backups.schedule)
    pulumi.export("tables", {value.full_name: resource.facts for value, resource in objects.items()
                             if isinstance(value, Table)})
    pulumi.export("objects", {f"{kind_of(value)} {value.full_name}": resource.facts
                              for value, resource in objects.items() if not isinstance(value, Table)})
    pulumi.export("seed", seed.counts if seed else None)


