"""The S3 server of a stack of ours: versitygw, in a container beside the database or as a process of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.resources import BaseImage, Certificate, Gateway, GatewayBuild, Password
from infra.targets import engine
from infra.targets.gateway import DOCKERFILE, OFFICIAL_IMAGE, VERSION, arguments

ACCESS_KEY = "lifecompanion"
REGION = "us-east-1"
PORT_INSIDE = 7070
SECRETS = "/run/lifecompanion"
DATA = "/var/lib/versitygw"
# The root keys come by file: whatever is in a container's environment, `docker inspect` shows.
ENTRY = f'. {SECRETS}/s3-keys; mkdir -p {DATA}/objects {DATA}/versions; exec versitygw "$@"'
CERTIFICATE_DAYS = 730


@dataclass(frozen=True)
class LocalS3:
    """An S3 server of ours. `endpoint` is for this machine, `endpoint_inside` for containers on its network.

    `resource` is what runs it: the container or the process; with `data` its buckets vanish. `ca_file` is on this
    machine, `ca_pem` the same as text.
    """

    endpoint: str
    endpoint_inside: str | None
    ca_file: str
    ca_pem: pulumi.Output[str]
    resource: pulumi.Resource
    data: pulumi.Resource
    secret_key: pulumi.Output[str] = field(repr=False)
    access_key: str = ACCESS_KEY
    region: str = REGION

    @property
    def login(self) -> Mapping[str, pulumi.Input[Any]]:
        """The fields of backups.s3.S3Login, as seen from this machine."""
        return {"endpoint": self.endpoint, "region": self.region, "access_key": self.access_key,
                "secret_key": self.secret_key, "ca_file": self.ca_file, "path_style": True}


def local_s3(name: str, *, folder: str, port: int, network: docker.Network | None,
             base_image: pulumi.Input[str] | None = None) -> LocalS3:
    """Declare the stack's own S3 server on 127.0.0.1:`port`, with TLS and versioning.

    With a network it is a container called `name` on it, else a process of this machine with its data in `folder`
    (relative to the program's). `base_image` is what an image of our own stands on; one is made where none is given.
    """
    secret = Password("s3-root")
    certificate = Certificate("s3-certificate", ["localhost", "127.0.0.1", *([name] if network else [])],
                              ca_file=f"{folder}/ca.pem", days=CERTIFICATE_DAYS)
    if network is None:
        resource: pulumi.Resource = Gateway(
            "s3", folder=f"{folder}/server", port=port, region=REGION, access_key=ACCESS_KEY, secret_key=secret.value,
            certificate=certificate)
        data = resource
    else:
        data = volume = docker.Volume("s3-data", name=name)
        resource = _container(name, folder, port, network, volume, secret, certificate, base_image)
    return LocalS3(endpoint=f"https://localhost:{port}",
                   endpoint_inside=f"https://{name}:{PORT_INSIDE}" if network else None,
                   ca_file=f"{folder}/ca.pem", ca_pem=certificate.ca_pem, resource=resource, data=data,
                   secret_key=secret.value)


def _container(name: str, folder: str, port: int, network: docker.Network, volume: docker.Volume, secret: Password,
               certificate: Certificate, base_image: pulumi.Input[str] | None) -> docker.Container:
    engine.require_port("lifecompanion:port", "127.0.0.1", port, name)
    keys = pulumi.Output.concat("export ROOT_ACCESS_KEY=", ACCESS_KEY, " ROOT_SECRET_KEY=", secret.value, "\n")
    return docker.Container(
        "s3", name=name, image=_image(folder, base_image).image_id,
        entrypoints=["/bin/sh", "-ec", ENTRY, "s3"],
        command=arguments(listen=f":{PORT_INSIDE}", region=REGION, cert=f"{SECRETS}/cert.pem",
                          key=f"{SECRETS}/key.pem", data=DATA),
        uploads=[
            docker.ContainerUploadArgs(file=f"{SECRETS}/s3-keys", content=keys, permissions="0600"),
            docker.ContainerUploadArgs(file=f"{SECRETS}/key.pem", content=certificate.key_pem, permissions="0600"),
            docker.ContainerUploadArgs(file=f"{SECRETS}/cert.pem", content=certificate.cert_pem, permissions="0644"),
        ],
        volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DATA)],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
        ports=[docker.ContainerPortArgs(internal=PORT_INSIDE, external=port, ip="127.0.0.1")],
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]), security_opts=["no-new-privileges"],
        memory=512, memory_swap=512, log_opts={"max-size": "20m", "max-file": "3"}, restart="unless-stopped",
        opts=pulumi.ResourceOptions(additional_secret_outputs=["uploads"]),
    )


def own_image() -> str:
    """The name of the image of our own, by server version and Dockerfile."""
    return f"lifecompanion/versitygw:{VERSION}-{hashlib.sha256(DOCKERFILE.read_bytes()).hexdigest()[:12]}"


def takes_official_image() -> bool:
    """Whether the server's own image is used: it is here, or it can be pulled and none of ours is here yet."""
    if engine.has_image(OFFICIAL_IMAGE):
        return True
    return not engine.has_image(own_image()) and engine.can_pull(OFFICIAL_IMAGE)


def _image(folder: str, base_image: pulumi.Input[str] | None) -> docker.RemoteImage:
    # Other stacks may run the same image, so destroying one leaves it to the engine.
    if takes_official_image():
        pulumi.log.info(f"S3 server: image {OFFICIAL_IMAGE}")
        return docker.RemoteImage("s3-image", name=OFFICIAL_IMAGE, keep_locally=True)
    pulumi.log.info(f"S3 server: image {own_image()}, built here: {OFFICIAL_IMAGE} is not here and no registry answers")
    base = base_image or BaseImage("s3-base-image").reference
    build = GatewayBuild("s3-build", folder=str(Path(folder) / "image"))
    return docker.RemoteImage(
        "s3-image", name=own_image(), keep_locally=True,
        build=docker.RemoteImageBuildArgs(context=build.context, build_args={"BASE": base}))
