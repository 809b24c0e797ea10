"""Where a stack's database runs: one module for each target, one way to ask for it."""

from __future__ import annotations

import pulumi

from infra.components import Component
from infra.resources import Password
from infra.server import Server
from infra.settings import Settings


def declare_server(settings: Settings) -> Server:
    """Declare the stack's server on its target; raises SettingsError where the target cannot carry it."""
    component = Component("Server")
    server = _on_target(settings, component)
    component.register_outputs({"target": server.target, "host": server.host, "port": server.port})
    return server


def _on_target(settings: Settings, component: Component) -> Server:
    if settings.target == "host":
        from infra.targets.host import host_server

        return host_server(settings, component)
    given = settings.admin_password
    admin = pulumi.Output.secret(given.get_secret_value()) if given else Password("admin", component.child()).value
    if settings.target == "docker":
        from infra.targets.docker import docker_server

        return docker_server(settings, component, admin)
    from infra.targets.embedded import embedded_server

    return embedded_server(settings, component, admin)
