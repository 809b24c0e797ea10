"""What pgBackRest needs beside a server of the docker target: an image that has it, its settings, its cipher."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from backups.physical.settings import CA_FILE, render_settings
from backups.storage.client import S3Login
from infra.components import Component
from infra.local.recovery_image import IMAGE, archiving_reference
from infra.resources import Password
from infra.server import Repository
from infra.services.s3 import local_server, s3_login
from infra.settings import Settings

CONF = "/run/lifecompanion/pgbackrest.conf"


def declare_repository(settings: Settings, component: Component, network: docker.Network, reference: str
                       ) -> Repository | None:
    """Declare what physical backups need before the server is there; None where the stack takes none."""
    if not settings.archives:
        return None
    local = local_server(settings, network) if settings.s3 == "local" else None
    cipher = Password("physical-cipher", component.child()).value
    login = local.login if local else s3_login(settings)
    inside = local.endpoint_inside if local else None
    known = pulumi.Output.all(login=pulumi.Output.from_input(login), cipher=cipher)
    conf: pulumi.Output[str] = pulumi.Output.secret(known.apply(
        lambda known: render_settings(
            S3Login.from_dict(known["login"]), settings.bucket_name, settings.database, known["cipher"],
            settings.backup_retention, endpoint=inside, processes=max(1, settings.cpus))))
    uploads = [docker.ContainerUploadArgs(file=CONF, content=conf, permissions="0600")]
    authority: pulumi.Input[str] | None = local.ca_pem if local else _authority(settings)
    if authority is not None:
        uploads.append(docker.ContainerUploadArgs(file=CA_FILE, content=authority, permissions="0644"))
    facts: pulumi.Output[Mapping[str, Any]] = pulumi.Output.secret(pulumi.Output.all(
        cipher=cipher, image=archiving_reference(reference), network=network.name, endpoint=inside).apply(
            lambda known: {key: value for key, value in known.items() if value is not None}))
    return Repository(local, uploads, facts)


def host_repository(settings: Settings, component: Component) -> Repository | None:
    """Declare the cipher of a host's repository; pgBackRest itself is its administrator's (`lcdb backup setup`)."""
    if not settings.archives:
        return None
    facts: pulumi.Output[Mapping[str, Any]] = pulumi.Output.secret(
        Password("physical-cipher", component.child()).value.apply(lambda cipher: {"cipher": cipher}))
    return Repository(None, (), facts)


def archiving_image(reference: str, base: docker.RemoteImage, component: Component) -> docker.RemoteImage:
    """Declare the server's image with pgBackRest added; it stays when the stack goes."""
    return docker.RemoteImage(
        "archiving-image", name=archiving_reference(reference), keep_locally=True,
        build=docker.RemoteImageBuildArgs(context=str(IMAGE), build_args={"BASE": reference}),
        opts=component.child(depends_on=[base]))


def _authority(settings: Settings) -> str | None:
    return Path(settings.s3_ca_file).read_text(encoding="ascii") if settings.s3_ca_file else None
