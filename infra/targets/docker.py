"""The docker target: TimescaleDB in a container, with its network, its volume and its streaming standbys."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_docker as docker
import pulumi_postgresql as postgresql

from backups.physical.settings import OWN_ARCHIVE_PARAMETERS
from infra.components import Component
from infra.local import docker_engine
from infra.resources import BaseImage
from infra.server import ReadAddress, Server
from infra.services.pgbackrest import archiving_image, declare_repository
from infra.settings import OFFICIAL_IMAGE, Settings
from infra.targets.tuning import MIB, server_parameters

IMAGES = Path("infra/images")
KIND_LABEL = "lifecompanion.image"
DATA = "/var/lib/postgresql/data"
SECRETS = "/run/lifecompanion"
HBA = "/etc/lifecompanion/pg_hba.conf"
START_SECONDS = 120
STOP_SECONDS = 60
OFFICIAL, DEBIAN = "official", "debian"

APACHE_LEAVES_OUT = (
    "the Debian image holds TimescaleDB's apache edition: no columnstore compression, no compression and retention "
    "policies, no continuous aggregates, no background jobs; load or pull the official image for all of them",
)


@dataclass(frozen=True)
class ChosenImage:
    """Which image a stack's servers run, why, and what that leaves out."""

    kind: str
    reference: str
    why: str

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """One line for each feature that the image's edition of TimescaleDB lacks."""
        return APACHE_LEAVES_OUT if self.kind == DEBIAN else ()


@dataclass(frozen=True)
class Shared:
    """What the primary and its standbys have in common."""

    settings: Settings
    network: docker.Network
    image: docker.RemoteImage


def prefix(settings: Settings) -> str:
    """What the names of a stack's containers, volumes and network begin with."""
    return f"lifecompanion-{settings.stack}"


def choose_image(settings: Settings) -> ChosenImage:
    """Resolve `image`; `auto` keeps the kind that the stack's data was made with, so that data stays readable."""
    references = {OFFICIAL: OFFICIAL_IMAGE, DEBIAN: debian_reference()}
    if settings.image != "auto":
        kind = settings.image if settings.image in references else OFFICIAL
        return ChosenImage(kind, references.get(settings.image, settings.image), "asked for")
    kept = docker_engine.volume_label(f"{prefix(settings)}-primary", KIND_LABEL)
    if kept:
        return ChosenImage(kept, references[kept], "the data volume was made with it")
    if docker_engine.has_image(OFFICIAL_IMAGE):
        return ChosenImage(OFFICIAL, OFFICIAL_IMAGE, "present")
    if docker_engine.can_pull(OFFICIAL_IMAGE):
        return ChosenImage(OFFICIAL, OFFICIAL_IMAGE, "its registry has it")
    return ChosenImage(DEBIAN, references[DEBIAN], f"{OFFICIAL_IMAGE} is not here and no registry answers")


def debian_reference() -> str:
    """Named by the content it is built from: a change of the Dockerfile is another image."""
    digest = hashlib.sha256()
    for path in sorted((IMAGES / "debian").iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return f"lifecompanion/timescaledb-debian:{digest.hexdigest()[:12]}"


def _image(chosen: ChosenImage, component: Component) -> docker.RemoteImage:
    # Other stacks may run the same image, so destroying one leaves it to the engine.
    if chosen.kind == OFFICIAL:
        return docker.RemoteImage("server-image", name=chosen.reference, keep_locally=True, opts=component.child())
    base = BaseImage("base-image", component.child())
    return docker.RemoteImage(
        "server-image", name=chosen.reference, keep_locally=True,
        build=docker.RemoteImageBuildArgs(context=str(IMAGES / "debian"), build_args={"BASE": base.reference}),
        opts=component.child(),
    )


def _digest(image: docker.RemoteImage) -> pulumi.Output[str | None]:
    """What a registry calls the image by its content; the engine's own id of one that was built here."""
    return pulumi.Output.all(image.repo_digest, image.image_id).apply(lambda known: known[0] or known[1])


def docker_server(settings: Settings, component: Component, admin_password: pulumi.Output[str]) -> Server:
    """Declare network, image, volume and the primary, which counts as up only when it answers on TCP."""
    name = f"{prefix(settings)}-primary"
    docker_engine.require_own(settings.stack, name)
    docker_engine.require_port("lifecompanion:port", settings.bind_address, settings.primary_port, name)
    chosen = choose_image(settings)
    pulumi.log.info(f"image {chosen.reference}: {chosen.why}")
    network = docker.Network("network", name=prefix(settings), opts=component.child())
    repository = declare_repository(settings, component, network, chosen.reference)
    image = _image(chosen, component)
    if repository:
        image = archiving_image(chosen.reference, image, component)
    shared = Shared(settings, network, image)
    volume = docker.Volume("primary-data", name=name,
                           labels=[docker.VolumeLabelArgs(label=KIND_LABEL, value=chosen.kind)],
                           # Replacing the volume would be replacing the data.
                           opts=component.child(ignore_changes=["labels"]))
    container = _container(
        "primary", name, shared, volume, settings.primary_port,
        envs=[f"POSTGRES_PASSWORD_FILE={SECRETS}/admin-password"],
        uploads=[_upload(f"{SECRETS}/admin-password", admin_password, "0600"),
                 _upload("/docker-entrypoint-initdb.d/900_lifecompanion.sql", _read("server/initialise.sql")),
                 *(repository.uploads if repository else ())],
        parameters=OWN_ARCHIVE_PARAMETERS if repository else {},
        # When the stack goes, the server goes first: it ends with its last WAL in the bucket, or waits for that.
        opts=component.child(depends_on=[repository.local.resource] if repository and repository.local else []),
    )
    return Server(
        target="docker", host=settings.bind_address, port=settings.primary_port,
        admin_user="postgres", admin_password=admin_password, sslmode="disable", ready=container, owned=volume,
        image=chosen.reference, image_id=shared.image.image_id, image_digest=_digest(shared.image), container=name,
        s3=repository.local if repository else None, physical=repository, leaves_out=chosen.leaves_out, network=network,
        standbys=lambda *login: _standbys(shared, volume, *login),
    )


def _standbys(shared: Shared, data: docker.Volume, provider: postgresql.Provider, role: pulumi.Input[str],
              password: pulumi.Input[str]) -> Sequence[ReadAddress]:
    """`replicas` streaming standbys, each with a slot and a volume of its own."""
    settings = shared.settings
    if not settings.replicas:
        return ()
    component = Component("Replicas")
    reads = []
    for number in range(1, settings.replicas + 1):
        label = f"replica-{number}"
        name = f"{prefix(settings)}-{label}"
        port = settings.replica_port(number)
        docker_engine.require_port("lifecompanion:port", settings.bind_address, port, name)
        slot = postgresql.PhysicalReplicationSlot(
            f"{label}-slot", name=f"replica_{number}",
            opts=component.child(provider=provider, deleted_with=data))
        container = _container(
            label, name, shared, docker.Volume(f"{label}-data", name=name, opts=component.child()), port,
            entrypoints=["/usr/local/bin/standby.sh"],
            envs=[f"PRIMARY_HOST={prefix(settings)}-primary", pulumi.Output.concat("SLOT=", slot.name),
                  pulumi.Output.concat("REPLICATOR=", role)],
            uploads=[_upload(f"{SECRETS}/replicator-password", password, "0600"),
                     _upload("/usr/local/bin/standby.sh", _read("server/standby.sh"), "0755")],
            opts=component.child(depends_on=[slot]),
        )
        reads.append(ReadAddress(name, settings.bind_address, port, container))
    component.register_outputs({"ports": [read.port for read in reads]})
    return tuple(reads)


def _container(label: str, name: str, shared: Shared, volume: docker.Volume, port: int, *,
               envs: list[pulumi.Input[str]], uploads: list[docker.ContainerUploadArgs],
               entrypoints: list[str] | None = None, parameters: Mapping[str, str] | None = None,
               opts: pulumi.ResourceOptions) -> docker.Container:
    settings = shared.settings
    memory = settings.memory // MIB
    return docker.Container(
        label, name=name, image=shared.image.image_id, entrypoints=entrypoints,
        command=["postgres", *_arguments(settings, parameters or {})],
        envs=[f"PGDATA={DATA}", "NO_TS_TUNE=true", "TIMESCALEDB_TELEMETRY=off", *envs],
        uploads=[*uploads, _upload(HBA, _read("server/pg_hba.conf"))],
        volumes=[docker.ContainerVolumeArgs(volume_name=volume.name, container_path=DATA)],
        networks_advanced=[docker.ContainerNetworksAdvancedArgs(name=shared.network.name)],
        ports=[docker.ContainerPortArgs(internal=5432, external=port, ip=settings.bind_address)],
        # pgBackRest's own child would become the server's, which takes a strange child's exit for a crash.
        init=True if parameters else None,
        memory=memory, memory_swap=memory, shm_size=max(64, memory // 4),
        log_opts={"max-size": "20m", "max-file": "3"},
        restart="unless-stopped", destroy_grace_seconds=STOP_SECONDS, stop_timeout=STOP_SECONDS,
        healthcheck=takes_logins(), wait=True, wait_timeout=START_SECONDS, opts=opts,
    )


def takes_logins() -> docker.ContainerHealthcheckArgs:
    """The check by which a server counts as up."""
    # The first start runs a temporary server on the socket alone: only TCP means ready.
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", "pg_isready", "-q", "-h", "127.0.0.1", "-p", "5432", "-U", "postgres"],
        interval="2s", timeout="3s", retries=START_SECONDS // 2)


def _arguments(settings: Settings, more: Mapping[str, str]) -> list[str]:
    own = {
        "listen_addresses": "*",
        "hba_file": HBA,
        "timezone": "UTC",
        "log_timezone": "UTC",
        "shared_preload_libraries": "timescaledb,pg_stat_statements",
        # Utility statements carry passwords (CREATE ROLE), which the view would show to every monitor.
        "pg_stat_statements.track_utility": "off",
        "wal_level": "replica",
        "max_wal_senders": "10",
        "max_replication_slots": "10",
        # A standby that is away must not fill the primary's disk.
        "max_slot_wal_keep_size": "4GB",
        "hot_standby_feedback": "on",
        **more,
    }
    parameters = server_parameters(settings.memory, settings.cpus, {**own, **settings.parameters})
    return [argument for key, value in parameters.items() for argument in ("-c", f"{key}={value}")]


def _upload(path: str, content: pulumi.Input[str], permissions: str = "0644") -> docker.ContainerUploadArgs:
    return docker.ContainerUploadArgs(file=path, content=content, permissions=permissions)


def _read(name: str) -> str:
    return (IMAGES / name).read_text()
