"""Server: what every target (docker, host, embedded) hands on to the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker
import pulumi_postgresql as postgresql

if TYPE_CHECKING:
    from infra.program.pgbackrest import Repository
    from infra.services.s3 import LocalS3


@dataclass(frozen=True)
class ReadAddress:
    """Where reads may go: a standby of ours, or an address the administrator gave."""

    name: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    resource: pulumi.Resource | None = None


# Declares standbys that log in with this provider's server as this role with this password.
Standbys = Callable[[postgresql.Provider, pulumi.Input[str], pulumi.Input[str]], Sequence[ReadAddress]]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that answers, seen from where the program runs.

    `ready` is the resource that exists once the server takes logins. `owned` is the one with which everything inside
    vanishes: the server's data, not its container, whose replacement would replace all that is in it; None for a
    server that is not ours, where what is inside stays when the stack goes. `reads` are there already, `standbys`
    declares more; `network` is the Docker network it answers on; `connections` caps what the providers open at once.
    `s3` is the stack's own S3 server where the target had
    to declare it, `physical` what pgBackRest needs there. `leaves_out` says in plain lines what this target cannot do;
    `extensions` are those it can make.
    """

    target: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    admin_user: str
    admin_password: pulumi.Input[str] = field(repr=False)
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    reads: Sequence[ReadAddress] = ()
    standbys: Standbys | None = None
    network: docker.Network | None = None
    ready: pulumi.Resource | None = None
    owned: pulumi.Resource | None = None
    connections: int = 20
    major: int = 17
    image: pulumi.Input[str] | None = None
    image_id: pulumi.Input[str] | None = None
    image_digest: pulumi.Input[str | None] | None = None
    container: pulumi.Input[str] | None = None
    s3: LocalS3 | None = None
    physical: Repository | None = None
    leaves_out: Sequence[str] = ()
    extensions: Sequence[str] = ("timescaledb", "pg_stat_statements")
