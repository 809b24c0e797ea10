"""What a killed update left half-made is removed; a container of anybody else's never is."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound

from infra.automation.leftovers import Run, remove_leftovers
from infra.local.base_image import ensure_base_image
from tests.support.machine import require

HOUR = timedelta(hours=1)


@pytest.fixture
def leftover() -> Iterator[tuple[str, str, list[str]]]:
    """A stack's name, its container's, and what Docker says when that name is taken."""
    require("docker")
    client = docker.from_env(timeout=30)
    images = client.images.list() or [client.images.get(ensure_base_image())]
    stack = f"cli-{secrets.token_hex(4)}"
    container = client.containers.create(images[0].id, command="true", name=f"lifecompanion-{stack}-primary")
    name = str(container.name)
    yield stack, name, ["Unable to create container: Error response from daemon: Conflict. The container name "
                        f'"/{name}" is already in use by container "{container.id}". You have to remove it.']
    with suppress(NotFound):
        client.containers.get(name).remove(force=True)
    client.close()


def exists(name: str) -> bool:
    client = docker.from_env(timeout=5)
    try:
        client.containers.get(name)
    except NotFound:
        return False
    finally:
        client.close()
    return True


def test_container_of_the_killed_update_goes(leftover: tuple[str, str, list[str]]) -> None:
    stack, name, causes = leftover
    now = datetime.now(UTC)
    assert remove_leftovers(causes, stack, Run(now - HOUR, now)) == [name]
    assert not exists(name)


def test_container_created_at_another_time_stays(leftover: tuple[str, str, list[str]]) -> None:
    stack, name, causes = leftover
    now = datetime.now(UTC)
    assert remove_leftovers(causes, stack, Run(now - 3 * HOUR, now - 2 * HOUR)) == []
    assert remove_leftovers(causes, stack, Run(now + HOUR, now + HOUR)) == []
    assert remove_leftovers(causes, stack, None) == []
    assert exists(name)


def test_container_of_another_stack_stays(leftover: tuple[str, str, list[str]]) -> None:
    _, name, causes = leftover
    now = datetime.now(UTC)
    assert remove_leftovers(causes, "dev", Run(now - HOUR, now)) == []
    assert exists(name)


def test_run_is_read_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert Run.from_log(log) is None
    log.write_text("no time\n")
    assert Run.from_log(log) is None
    began = datetime.now(UTC) - timedelta(minutes=3)
    log.write_text(f"{began.isoformat()}\nUpdating (dev):\n")
    run = Run.from_log(log)
    assert run is not None
    assert run.covers(began + timedelta(minutes=1))
    assert not run.covers(began - timedelta(seconds=1))


def test_other_failures_touch_nothing() -> None:
    now = datetime.now(UTC)
    assert remove_leftovers(["users: locked", ""], "dev", Run(now - HOUR, now)) == []
