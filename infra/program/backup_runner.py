"""The container beside the database that keeps the schedule of backups."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from backups.physical.settings import CA_FILE
from infra.components import Component
from infra.local.backup_runner_image import runner_reference
from infra.program.access import Access
from infra.program.storage import Storage
from infra.resources import BaseImage, RunnerBuild
from infra.server import Server
from infra.settings import Settings

CONFIG = "/run/lifecompanion/backup.json"
MEMORY_MIB = 512


def declare_sidecar(settings: Settings, component: Component, server: Server, access: Access, storage: Storage,
                    config: pulumi.Output[Mapping[str, Any]],
                    drill: tuple[docker.Container, pulumi.Output[Mapping[str, Any]]] | None = None) -> docker.Container:
    """Declare the container; it sees the server and the bucket under their names on the stack's network.

    `drill` is the server that drills restore into, and its login.
    """
    assert server.network is not None
    local = storage.local
    endpoint = local.endpoint_inside if local else None
    authority: pulumi.Input[str] | None = local.ca_pem if local else (
        Path(settings.s3_ca_file).read_text(encoding="ascii") if settings.s3_ca_file else None)
    inside: pulumi.Output[str] = pulumi.Output.secret(pulumi.Output.all(
        config=config, host=server.container, drill=drill[1] if drill else None).apply(
        lambda known: json.dumps(seen_from_inside(known["config"], str(known["host"]), endpoint,
                                                  authority is not None, known["drill"]), sort_keys=True)))
    uploads = [docker.ContainerUploadArgs(file=CONFIG, content=inside, permissions="0600")]
    if authority is not None:
        uploads.append(docker.ContainerUploadArgs(file=CA_FILE, content=authority, permissions="0644"))
    name = f"lifecompanion-{settings.stack}-backup"
    return docker.Container(
        "backup", name=name, image=_image(settings, component).image_id, command=[CONFIG], uploads=uploads, init=True,
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=server.network.name)],
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]), security_opts=["no-new-privileges"],
        memory=MEMORY_MIB, memory_swap=MEMORY_MIB, log_opts={"max-size": "20m", "max-file": "3"},
        restart="unless-stopped", destroy_grace_seconds=30,
        opts=component.child(depends_on=[*access.ready, *([storage.bucket] if storage.bucket else []),
                                         *([drill[0]] if drill else [])],
                             additional_secret_outputs=["uploads"]))


def seen_from_inside(config: Mapping[str, Any], host: str, endpoint: str | None, private_authority: bool,
                     drill: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The same settings with the addresses that hold on the stack's network; pure."""
    login = {**config["s3"], **({"endpoint": endpoint} if endpoint else {}),
             **({"ca_file": CA_FILE} if private_authority else {})}
    addresses = {key: {**config[key], "host": host, "port": 5432} for key in ("database", "admin")}
    return {**{key: value for key, value in config.items() if key != "image"}, "s3": login, **addresses,
            **({"drill": dict(drill)} if drill else {})}


def _image(settings: Settings, component: Component) -> docker.RemoteImage:
    base = BaseImage("backup-base-image", component.child())
    build = RunnerBuild("backup-build", folder=f".lcdb/{settings.stack}/backup/image", content=runner_reference(),
                        opts=component.child())
    # Other stacks may run the same image, so destroying one leaves it to the engine.
    return docker.RemoteImage(
        "backup-image", name=runner_reference(), keep_locally=True,
        build=docker.RemoteImageBuildArgs(context=build.context, build_args={"BASE": base.reference}),
        opts=component.child())
