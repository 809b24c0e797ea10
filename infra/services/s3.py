"""The S3 server of a stack of ours: SeaweedFS, in a container beside the database or as a process of this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_docker as docker

from infra.components import Component
from infra.local import docker_engine
from infra.local.s3_server import DOCKERFILE, MEMORY_LIMIT, S3ServerError, old_layout, refuse_versitygw
from infra.local.seaweedfs import OFFICIAL_IMAGE, VERSION, VERSITYGW_FOLDERS, Ports, arguments, settings_files
from infra.resources import BaseImage, Certificate, Password, S3Server, S3ServerBuild
from infra.server import ACCESS_KEY, REGION, LocalS3
from infra.settings import Settings, SettingsError

PORT_INSIDE = 7070
EVERYWHERE = "0.0.0.0"  # noqa: S104 - in a container; what is published is on 127.0.0.1 alone
SETTINGS_FILES = ("ca.pem", "cert.pem", "key.pem", "weed.options", "security.toml", "master.toml", "identities.json")
SETTINGS = "/run/lifecompanion"
DATA = "/var/lib/seaweedfs"
MEMORY_MIB = 768
# A volume without it is of an earlier release, which kept versitygw's data there.
LAYOUT_LABEL, LAYOUT = "lifecompanion.s3", "seaweedfs"
# What a volume holds is seen only here. Root keys and the keys of encryption come by file: whatever is in a
# container's environment, `docker inspect` shows.
ENTRY = f"""for name in {" ".join(VERSITYGW_FOLDERS)}; do
    if [ -e {DATA}/$name ]; then echo "{{refusal}}" >&2; exit 1; fi
done
cd {SETTINGS}; exec weed "$@\""""
CERTIFICATE_DAYS = 730


def local_server(settings: Settings, network: docker.Network | None) -> LocalS3:
    """Declare the stack's own S3 server: a container on the network, else a process."""
    return local_s3(f"lifecompanion-{settings.stack}-s3", folder=f".lcdb/{settings.stack}/s3", port=settings.s3_port,
                    network=network)


def s3_login(settings: Settings) -> Mapping[str, pulumi.Input[Any]]:
    """Without keys of its own the stack uses what AWS's own tools would find."""
    keys = {"access_key": settings.s3_access_key, "secret_key": settings.s3_secret_key}
    given: dict[str, pulumi.Input[Any]] = {
        name: pulumi.Output.secret(key.get_secret_value()) for name, key in keys.items() if key}
    texts = {"endpoint": settings.s3_endpoint, "ca_file": settings.s3_ca_file, "region": settings.s3_region}
    return {**given, **{key: value for key, value in texts.items() if value},
            "path_style": settings.s3 == "compatible"}


def local_s3(name: str, *, folder: str, port: int, network: docker.Network | None,
             base_image: pulumi.Input[str] | None = None) -> LocalS3:
    """Declare the stack's own S3 server on 127.0.0.1:`port`, with TLS and versioning.

    All of it hangs under the part Storage, made here, whose outputs are registered when the bucket is there too.
    With a network it is a container called `name` on it, else a process of this machine with its data in `folder`
    (relative to the program's). `base_image` is what an image of our own stands on; one is made where none is given.
    """
    component = Component("Storage")
    secret = Password("s3-root", component.child())
    certificate = Certificate("s3-certificate", ["localhost", "127.0.0.1", *([name] if network else [])],
                              ca_file=f"{folder}/ca.pem", days=CERTIFICATE_DAYS, opts=component.child())
    _refuse_earlier_data(name, folder, network)
    if network is None:
        resource: pulumi.Resource = S3Server(
            "s3", folder=f"{folder}/server", port=port, region=REGION, access_key=ACCESS_KEY, secret_key=secret.value,
            certificate=certificate, opts=component.child())
        data = resource
    else:
        data = volume = docker.Volume(
            "s3-data", name=name, labels=[docker.VolumeLabelArgs(label=LAYOUT_LABEL, value=LAYOUT)],
            opts=component.child())
        resource = _container(component, name, folder, port, network, volume, secret, certificate, base_image)
    return LocalS3(endpoint=f"https://localhost:{port}",
                   endpoint_inside=f"https://{name}:{PORT_INSIDE}" if network else None,
                   ca_file=f"{folder}/ca.pem", ca_pem=certificate.ca_pem, component=component, resource=resource,
                   data=data, secret_key=secret.value)


def _container(component: Component, name: str, folder: str, port: int, network: docker.Network, volume: docker.Volume,
               secret: Password, certificate: Certificate, base_image: pulumi.Input[str] | None) -> docker.Container:
    docker_engine.require_port("lifecompanion:port", "127.0.0.1", port, name)
    files = pulumi.Output.all(secret.value, certificate.ca_pem, certificate.cert_pem, certificate.key_pem).apply(
        lambda known: {"ca.pem": known[1], "cert.pem": known[2], "key.pem": known[3], **settings_files(
            Ports(PORT_INSIDE), address=EVERYWHERE, data=DATA, access_key=ACCESS_KEY, secret_key=known[0])})
    return docker.Container(
        "s3", name=name, image=_image(component, folder, base_image).image_id,
        entrypoints=["/bin/sh", "-ec", ENTRY.format(refusal=_refusal(name)), "s3"], command=arguments(PORT_INSIDE),
        envs=[f"{key}={value}" for key, value in MEMORY_LIMIT.items()],
        uploads=[docker.ContainerUploadArgs(file=f"{SETTINGS}/{file}", content=files[file], permissions="0600")
                 for file in SETTINGS_FILES],
        volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DATA)],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=network.name)],
        ports=[docker.ContainerPortArgs(internal=PORT_INSIDE, external=port, ip="127.0.0.1")],
        capabilities=docker.ContainerCapabilitiesArgs(drops=["ALL"]), security_opts=["no-new-privileges"],
        memory=MEMORY_MIB, memory_swap=MEMORY_MIB, log_opts={"max-size": "20m", "max-file": "3"},
        restart="unless-stopped", opts=component.child(additional_secret_outputs=["uploads"]),
    )


def _refuse_earlier_data(name: str, folder: str, network: docker.Network | None) -> None:
    """Raise SettingsError where the stack's folder or volume is of a release whose data this server cannot read."""
    if network is None:
        try:
            refuse_versitygw(Path(folder) / "server")
        except S3ServerError as error:
            raise SettingsError(str(error)) from None
    elif docker_engine.has_volume(name) and docker_engine.volume_label(name, LAYOUT_LABEL) != LAYOUT:
        raise SettingsError(_refusal(name))


def _refusal(name: str) -> str:
    return old_layout(f"volume {name}", "one of an earlier release, whose S3 server was versitygw",
                      f"remove it (docker rm --force {name}; docker volume rm {name})")


def own_image() -> str:
    """The name of the image of our own, by server version and Dockerfile."""
    return f"lifecompanion/seaweedfs:{VERSION}-{hashlib.sha256(DOCKERFILE.read_bytes()).hexdigest()[:12]}"


def takes_official_image() -> bool:
    """Whether the server's own image is used: it is here, or it can be pulled and none of ours is here yet."""
    if docker_engine.has_image(OFFICIAL_IMAGE):
        return True
    return not docker_engine.has_image(own_image()) and docker_engine.can_pull(OFFICIAL_IMAGE)


def _image(component: Component, folder: str, base_image: pulumi.Input[str] | None) -> docker.RemoteImage:
    # Other stacks may run the same image, so destroying one leaves it to the engine.
    if takes_official_image():
        pulumi.log.info(f"S3 server: image {OFFICIAL_IMAGE}")
        return docker.RemoteImage("s3-image", name=OFFICIAL_IMAGE, keep_locally=True, opts=component.child())
    pulumi.log.info(f"S3 server: image {own_image()}, built here: {OFFICIAL_IMAGE} is not here and no registry answers")
    base = base_image or BaseImage("s3-base-image", component.child()).reference
    build = S3ServerBuild("s3-build", folder=str(Path(folder) / "image"), content=own_image(), opts=component.child())
    return docker.RemoteImage(
        "s3-image", name=own_image(), keep_locally=True,
        build=docker.RemoteImageBuildArgs(context=build.context, build_args={"BASE": base}), opts=component.child())
