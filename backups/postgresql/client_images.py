"""Docker images on this machine that contain PostgreSQL's client programs, listed with the docker command."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

# Repositories whose images hold a server with its client programs, the preferred first.
REPOSITORIES = ("lifecompanion/timescaledb-debian", "timescale/timescaledb", "timescale/timescaledb-ha", "postgres")
# A major version in a tag: "17", "17.5-bookworm", "2.29.2-pg17", "pg17-oss". A tag without one is that of a digest.
MAJOR = re.compile(r"(?:^|-)pg(\d+)|^(\d+)(?:[.-]|$)")
ASK_SECONDS = 30
PULL_SECONDS = 600


def list_images(least: int) -> Iterator[str]:
    """Images on this machine that may have client programs of major version `least` or later, lowest version first.

    An image whose tag names no version is included. Empty where no Docker engine answers.
    """
    candidates = []
    for line in _ask(["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], ASK_SECONDS).splitlines():
        repository, _, tag = line.rpartition(":")
        if repository in REPOSITORIES and tag != "<none>":
            major = _major(repository, tag) or least
            if major >= least:
                candidates.append((major, REPOSITORIES.index(repository), line))
    yield from (image for _, _, image in sorted(candidates))


def pull_image(major: int) -> str | None:
    """Pull PostgreSQL's official image of this major version; returns its name, None where no registry delivers it."""
    image = f"postgres:{major}"
    return image if _ask(["pull", "--quiet", image], PULL_SECONDS) else None


def _major(repository: str, tag: str) -> int | None:
    match = MAJOR.search(tag)
    if match is None or (match[2] and repository != "postgres"):  # such as TimescaleDB's own version
        return None
    return int(match[1] or match[2])


def _ask(words: list[str], seconds: int) -> str:
    """What the command printed; nothing where it failed, is not there or took too long."""
    if not shutil.which("docker"):
        return ""
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False, timeout=seconds,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout if done.returncode == 0 else ""
