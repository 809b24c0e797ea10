"""The container that scheduled drills restore into: an idle server of the stack's own image, empty, its jobs off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_docker as docker

from backups.docker import HBA as HBA_TEXT
from backups.drill.temporary_server import DRILL_PARAMETERS
from infra.components import Component
from infra.resources import Password
from infra.server import Server
from infra.settings import Settings
from infra.targets.docker import HBA, SECRETS, START_SECONDS, prefix, takes_logins
from infra.targets.tuning import MIB

PASSWORD_FILE = f"{SECRETS}/admin-password"
# Of 1024: a drill gives way wherever the live server wants the processor.
CPU_SHARES = 128


def declare_drill_server(settings: Settings, component: Component, server: Server
                         ) -> tuple[docker.Container, pulumi.Output[Mapping[str, Any]]]:
    """Declare it, on the stack's network alone; and its superuser's login, as Address.from_dict takes it; secret.

    Its data lies in a volume without a name, which goes with the container: another image begins with empty data.
    """
    assert server.network is not None
    assert server.image_id is not None
    name = f"{prefix(settings)}-drill"
    password = Password("drill", component.child()).value
    memory = settings.memory // MIB
    parameters = {**DRILL_PARAMETERS, "hba_file": HBA, "archive_mode": "off", "max_wal_size": "1GB",
                  "shared_buffers": f"{max(32, memory // 8)}MB"}
    container = docker.Container(
        "drill", name=name, image=server.image_id,
        command=["postgres", *(word for key, value in sorted(parameters.items()) for word in ("-c", f"{key}={value}"))],
        envs=[f"POSTGRES_PASSWORD_FILE={PASSWORD_FILE}", "NO_TS_TUNE=true", "TIMESCALEDB_TELEMETRY=off"],
        uploads=[docker.ContainerUploadArgs(file=PASSWORD_FILE, content=password, permissions="0600"),
                 docker.ContainerUploadArgs(file=HBA, content=HBA_TEXT, permissions="0644"),
                 *(server.physical.uploads if server.physical else ())],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=server.network.name)],
        # What is started beside the server would else become its child, whose exit it takes for a crash.
        init=True, memory=memory, memory_swap=memory, shm_size=max(64, memory // 4), cpu_shares=CPU_SHARES,
        security_opts=["no-new-privileges"], log_opts={"max-size": "20m", "max-file": "3"},
        restart="unless-stopped", destroy_grace_seconds=10,
        healthcheck=takes_logins(), wait=True, wait_timeout=START_SECONDS,
        opts=component.child(additional_secret_outputs=["uploads"],
                             depends_on=[server.ready] if server.ready else []))
    login: pulumi.Output[Mapping[str, Any]] = pulumi.Output.secret(pulumi.Output.all(container.name, password).apply(
        lambda known: {"host": known[0], "port": 5432, "database": "postgres", "user": "postgres",
                       "password": known[1], "sslmode": "disable"}))
    return container, login
