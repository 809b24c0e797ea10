"""What a killed update had made before its state could say so: told from anybody else's, and removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker.models.containers import Container

CONFLICT = re.compile(r'container name "/(?P<name>[^"]+)" is already in use by container "(?P<id>\w+)"')
CONTAINER = "docker:index/container:Container"
# The log's last line may be older than what the provider, not yet dead, did last.
SLACK = timedelta(seconds=60)


@dataclass(frozen=True)
class Run:
    """When an update of this checkout began, and when it was last heard of."""

    began: datetime
    heard: datetime

    @classmethod
    def of_log(cls, log: Path) -> Run | None:
        """The run that wrote this log; None where there is none."""
        try:
            with log.open(encoding="utf-8") as lines:
                began = datetime.fromisoformat(lines.readline().strip())
            return cls(began, datetime.fromtimestamp(log.stat().st_mtime, UTC))
        except (OSError, ValueError):
            return None

    def made(self, created: datetime) -> bool:
        """Whether something that came to be at `created` is this run's work."""
        return self.began <= created <= self.heard + SLACK


def remove_interrupted(deployment: Mapping[str, Any]) -> list[str]:
    """Remove the containers that this state was just having made when its update was killed; their names.

    Had there been another's container of that name before, such as another checkout's, then the making would have
    failed, and not be pending. Data is in volumes, which are found again by their names; so are all other kinds that a
    killed update may leave.
    """
    names = [operation["resource"]["inputs"]["name"] for operation in deployment.get("pending_operations") or ()
             if operation["type"] == "creating" and operation["resource"]["type"] == CONTAINER]
    if not names:
        return []
    import docker
    from docker.errors import DockerException, NotFound

    removed = []
    for name in names:
        try:
            docker.from_env().containers.get(name).remove(force=True)
        except NotFound:
            continue
        except DockerException:
            break
        removed.append(name)
    return removed


def remove_leftovers(causes: Iterable[str], stack: str, run: Run | None) -> list[str]:
    """Remove the containers in the way of `stack` that `run` left half-made; their names. Volumes stay.

    A container of the same name that was made at another time is somebody else's, such as another checkout's: it stays.
    """
    found = [match for cause in causes for match in CONFLICT.finditer(cause)]
    if not found or run is None:
        return []
    import docker
    from docker.errors import DockerException

    removed = []
    try:
        client = docker.from_env()
        for match in found:
            container = client.containers.get(match["id"])
            if match["name"].startswith(f"lifecompanion-{stack}-") and run.made(_created(container)):
                container.remove(force=True)
                removed.append(match["name"])
    except DockerException:
        return removed
    return removed


def _created(container: Container) -> datetime:
    """When the engine made it; the engine's nanoseconds are cut to what Python reads."""
    return datetime.fromisoformat(container.attrs["Created"][:26].rstrip("Z")).replace(tzinfo=UTC)
