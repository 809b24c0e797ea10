"""The base image of all that we build: Debian from a registry, else made with debootstrap."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, ImageNotFound

RELEASE = "trixie"
FROM_REGISTRY = "debian:trixie-slim"
BOOTSTRAPPED = "lifecompanion/base:trixie"


class BaseImageError(Exception):
    """There is no base image and none can be made; the message is one line with the reason and the remedy."""


def find_base_image() -> str | None:
    """Find a base image in the engine; None where it has none."""
    client = docker.from_env()
    for reference in (FROM_REGISTRY, BOOTSTRAPPED):
        try:
            client.images.get(reference)
        except ImageNotFound:
            continue
        return reference
    return None


def ensure_base_image() -> str:
    """Return the reference of a base image, pulled or made (about a minute) unless the engine has one.

    A second caller waits for the first. Raises BaseImageError.
    """
    path = Path(tempfile.gettempdir()) / f"lifecompanion-base-image.{os.getuid()}.lock"
    # Anybody may have put a link there.
    lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return find_base_image() or _make()
    finally:
        os.close(lock)


def _make() -> str:
    try:
        docker.from_env(timeout=120).images.pull(FROM_REGISTRY)
    except (APIError, DockerException, OSError) as error:
        _bootstrap(" ".join(str(error).split())[:120])
        return BOOTSTRAPPED
    return FROM_REGISTRY


def _bootstrap(why: str) -> None:
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        raise BaseImageError(
            f"base image {FROM_REGISTRY}: no registry has answered ({why}), and making one takes root and the program "
            "debootstrap; install debootstrap and run as root, or load the image with `docker load`")
    with tempfile.TemporaryDirectory(prefix="lifecompanion-base-") as folder:
        root = Path(folder) / "root"
        done = subprocess.run(["debootstrap", "--variant=minbase", RELEASE, str(root)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = (done.stdout + done.stderr).strip().splitlines()[-1:]
            raise BaseImageError(f"debootstrap {RELEASE}: failed ({' '.join(last)}); "
                                 "check that the Debian package mirror can be reached")
        archive = Path(folder) / "root.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(root, arcname=".")
        repository, tag = BOOTSTRAPPED.split(":")
        docker.from_env(timeout=300).api.import_image_from_file(str(archive), repository=repository, tag=tag)
