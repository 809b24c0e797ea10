"""The embedded target: TimescaleDB in WebAssembly as a process of this machine, for trials and tests."""

from __future__ import annotations

from pathlib import Path

import pulumi

from infra.components import Component
from infra.local import processes
from infra.local.checkouts import holder_of_port
from infra.local.embedded_server import ADMIN, NAME, EmbeddedError, alive, await_port
from infra.resources import EmbeddedServer
from infra.server import Server
from infra.settings import Settings, SettingsError

LEAVES_OUT = (
    "the embedded server is a third-party build for trials and tests, not for production",
    "embedded: one connection at a time; others wait for up to 50 s",
    "embedded: no standby (replicas), no TLS; it listens on 127.0.0.1 only",
    "embedded: no background workers: policies are in place, but only `CALL run_job(...)` runs them",
    "embedded: no pg_stat_statements, and statement_timeout does not fire",
    "embedded: its TimescaleDB is no release, so its backups restore into embedded servers alone",
    "embedded: passwords are checked at login, but a session can become superuser by SET SESSION AUTHORIZATION",
)


def embedded_server(settings: Settings, component: Component, password: pulumi.Output[str]) -> Server:
    """Declare the stack's embedded server, whose superuser gets this password."""
    require_port(Path(f".lcdb/{settings.stack}/embedded"), settings.primary_port)
    server = EmbeddedServer("embedded", folder=f".lcdb/{settings.stack}/embedded", port=settings.primary_port,
                            password=password, opts=component.child())
    return Server(target="embedded", host="127.0.0.1", port=settings.primary_port, admin_user=ADMIN,
                  admin_password=password, sslmode="disable", ready=server, owned=server, connections=1,
                  leaves_out=LEAVES_OUT, extensions=("timescaledb",))


def require_port(folder: Path, port: int) -> None:
    """Raise SettingsError at once where another stack's server has the port, after a while where anything else has."""
    if alive(folder) or processes.port_is_free(port):
        return
    holder = holder_of_port(port, NAME)
    if holder:
        raise SettingsError(f"lifecompanion:port: found {port}, but {holder} has its embedded server on it; remove it "
                            "there (make destroy), or set lifecompanion:port to another port")
    try:
        await_port(port)
    except EmbeddedError as error:
        raise SettingsError(f"lifecompanion:port: found {port}, but {error}") from None
