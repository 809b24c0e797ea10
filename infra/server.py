"""Server: what every target (docker, host, embedded) hands on to the rest of the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True)
class ReadAddress:
    """Where reads may go: a standby of ours, or an address the administrator gave."""

    name: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server that answers, seen from where the program runs.

    `ready` is the resource that exists once the server takes logins; `owned` is the one with which everything inside
    the server vanishes (None for a server that is not ours: there each object is dropped one by one, or left).
    `connections` caps what the providers open at once; `leaves_out` says in plain lines what this target cannot do.
    """

    target: str
    host: pulumi.Input[str]
    port: pulumi.Input[int]
    admin_user: str
    admin_password: pulumi.Input[str] = field(repr=False)
    sslmode: str = "prefer"
    sslrootcert: str | None = None
    reads: Sequence[ReadAddress] = ()
    ready: pulumi.Resource | None = None
    owned: pulumi.Resource | None = None
    connections: int = 20
    image: pulumi.Input[str] | None = None
    leaves_out: Sequence[str] = ()
