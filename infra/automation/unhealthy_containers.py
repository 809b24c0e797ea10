"""Find out why a container does not get healthy, from its log: Pulumi only says that it stopped waiting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker.models.containers import Container

# The words of PostgreSQL, its tools and the shell for a failure; the last such line is nearest to the cause.
FAILURE = re.compile(r"FATAL|PANIC|No space left|initdb: error|could not|not found|exit")
LINES = 200


def explain_unhealthy(stack: str) -> list[str]:
    """Write one line for each unhealthy container of the stack, with its log's last failure; none without an engine."""
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
    last = (space or failures or [line for line in log if line.strip()] or ["nothing"])[-1]
    name = container.name
    remedy = "free space on the Docker engine's disk" if space else f"see `docker logs {name}`"
    return f"{name}: {health or state['Status']}, a healthy one required; its log says: {last}; {remedy}"
