"""Read facts from the Docker engine that decide what the program declares; changes nothing."""

from __future__ import annotations

import functools
import socket

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from infra.settings import SettingsError

# A registry that does not answer must not hold up a preview.
TIMEOUT_SECONDS = 10


@functools.cache
def _client() -> docker.DockerClient:
    try:
        client = docker.from_env(timeout=TIMEOUT_SECONDS)
        client.ping()
    except DockerException as error:
        raise SettingsError(
            f"lifecompanion:target: docker, but no Docker engine answers ({' '.join(str(error).split())[:160]}); "
            "start it, or set lifecompanion:target to embedded") from None
    return client


def has_image(reference: str) -> bool:
    """Tell whether the engine has the image."""
    try:
        _client().images.get(reference)
    except ImageNotFound:
        return False
    return True


def can_pull(reference: str) -> bool:
    """Tell whether the image's registry answers within 10 s and has the image."""
    try:
        _client().images.get_registry_data(reference)
    except (APIError, DockerException, OSError):
        return False
    return True


def has_volume(volume: str) -> bool:
    """Tell whether the engine has a volume of this name."""
    try:
        _client().volumes.get(volume)
    except NotFound:
        return False
    return True


def volume_label(volume: str, label: str) -> str | None:
    """Read a label of a volume; None where there is no such volume or label."""
    try:
        attributes = _client().volumes.get(volume).attrs
    except NotFound:
        return None
    value = (attributes.get("Labels") or {}).get(label)
    return str(value) if value is not None else None


def require_port(key: str, address: str, port: int, container: str) -> None:
    """Raise SettingsError where anything but `container` uses the port; the message names the setting `key`."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if _publishes(container, port):
                return
            raise SettingsError(
                f"{key}: found {port}, but {address}:{port} cannot be used for {container} ({error.strerror}); "
                f"free it, or set {key} to another port") from None


def require_own(stack: str, container: str) -> None:
    """Raise SettingsError where the stack's container exists and belongs to another checkout of this machine."""
    from infra.local.checkouts import holder_of_container

    checkout = holder_of_container(stack, container)
    if checkout is None:
        return
    try:
        _client().containers.get(container)
    except NotFound:
        return
    raise SettingsError(
        f"stack {stack}: container {container} belongs to the checkout in {checkout}, and a machine has its name but "
        f"once; remove it there (make destroy STACK={stack}), or copy Pulumi.{stack}.yaml here under another name")


def _publishes(container: str, port: int) -> bool:
    try:
        ports = _client().containers.get(container).attrs["HostConfig"].get("PortBindings") or {}
    except NotFound:
        return False
    return any(binding.get("HostPort") == str(port) for bindings in ports.values() for binding in bindings or ())
