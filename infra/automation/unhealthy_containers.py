"""Why a container of a stack does not get healthy, in its own words: Pulumi only says that it gave up waiting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker.models.containers import Container

# What PostgreSQL, its tools and the shell call a failure; the last such line is the cause or nearest to it.
FAILURE = re.compile(r"FATAL|PANIC|No space left|initdb: error|could not|not found|exit")
LINES = 200


def explain_unhealthy(stack: str) -> list[str]:
    """One line for each container of the stack that is there but not healthy; none where no engine answers."""
    import docker
    from docker.errors import DockerException

    try:
        containers = docker.from_env(timeout=10).containers.list(
            all=True, filters={"name": f"^/?lifecompanion-{re.escape(stack)}-"})
        return [line for container in containers if (line := _explain(container))]
    except DockerException:
        return []


def _explain(container: Container) -> str | None:
    state = container.attrs["State"]
    health = (state.get("Health") or {}).get("Status")
    if health == "healthy" or (health is None and state["Running"]):
        return None
    log = container.logs(tail=LINES).decode(errors="replace").splitlines()
    failures = [line.strip() for line in log if FAILURE.search(line)]
    space = [line for line in failures if "No space left" in line]
    said = (space or failures or [line for line in log if line.strip()] or ["nothing"])[-1]
    name = container.name
    remedy = "free space on the Docker engine's disk" if space else f"see `docker logs {name}`"
    return f"{name}: {health or state['Status']}, a healthy one required; its log says: {said}; {remedy}"
