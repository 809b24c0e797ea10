"""Remove containers that a killed update created but did not record in the state, and no one else's."""

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
# The provider may have worked for a while after the log's last line.
SLACK = timedelta(seconds=60)


@dataclass(frozen=True)
class Run:
    """When an update of this checkout began, and when it last wrote to its log; both in UTC."""

    began: datetime
    last_logged: datetime

    @classmethod
    def from_log(cls, log: Path) -> Run | None:
        """Read the run that wrote this log; None where there is none."""
        try:
            with log.open(encoding="utf-8") as lines:
                began = datetime.fromisoformat(lines.readline().strip())
            return cls(began, datetime.fromtimestamp(log.stat().st_mtime, UTC))
        except (OSError, ValueError):
            return None

    def covers(self, created: datetime) -> bool:
        """Tell whether something created at that time was created by this run."""
        return self.began <= created <= self.last_logged + SLACK


def remove_interrupted(deployment: Mapping[str, Any]) -> list[str]:
    """Remove the containers whose creation is pending in this state; returns their names.

    They are this stack's own: had somebody else's container had the name, its creation would have failed and not be
    pending. Volumes and all other kinds that a killed update may leave are found again by their names, and stay.
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
    """Remove the containers that conflict with `stack` and were created by `run`; returns their names. Volumes stay.

    A container of the same name created at another time is somebody else's, such as another checkout's: it stays.
    """
    conflicts = [match for cause in causes for match in CONFLICT.finditer(cause)]
    if not conflicts or run is None:
        return []
    import docker
    from docker.errors import DockerException

    removed = []
    try:
        client = docker.from_env()
        for match in conflicts:
            container = client.containers.get(match["id"])
            if match["name"].startswith(f"lifecompanion-{stack}-") and run.covers(_created(container)):
                container.remove(force=True)
                removed.append(match["name"])
    except DockerException:
        return removed
    return removed


def _created(container: Container) -> datetime:
    """When the engine created it; nanoseconds are cut to microseconds."""
    return datetime.fromisoformat(container.attrs["Created"][:26].rstrip("Z")).replace(tzinfo=UTC)
