"""Server: what every target (docker, host, embedded) hands on to the rest of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_docker as docker
import pulumi_postgresql as postgresql

from infra.components import Component

# The account and the region of an S3 server of the stack's own.
ACCESS_KEY = "lifecompanion"
REGION = "us-east-1"


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
class LocalS3:
    """An S3 server of ours. `endpoint` is for this machine, `endpoint_inside` for containers on its network.

    `resource` is what runs it: the container or the process; with `data` its buckets vanish. `component` is the part of
    the stack that all of it hangs under. `ca_file` is on this machine, `ca_pem` the same as text.
    """

    endpoint: str
    endpoint_inside: str | None
    ca_file: str
    ca_pem: pulumi.Output[str]
    component: Component
    resource: pulumi.Resource
    data: pulumi.Resource
    secret_key: pulumi.Output[str] = field(repr=False)
    access_key: str = ACCESS_KEY
    region: str = REGION

    @property
    def login(self) -> Mapping[str, pulumi.Input[Any]]:
        """The fields of backups.storage.client.S3Login, as seen from this machine."""
        return {"endpoint": self.endpoint, "region": self.region, "access_key": self.access_key,
                "secret_key": self.secret_key, "ca_file": self.ca_file, "path_style": True}


@dataclass(frozen=True)
class Repository:
    """Where physical backups go: the files for the server's container, and the facts for whoever recovers."""

    local: LocalS3 | None
    uploads: Sequence[docker.ContainerUploadArgs]
    facts: pulumi.Output[Mapping[str, Any]]


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
