"""End-to-end tests: the real CLI, a real engine, real servers; skipped by name where a machine lacks one of them."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from tests.e2e.checkout import Checkout, make_checkout

HERE = Path(__file__).parent


def missing() -> str | None:
    """What this machine lacks for these tests, or None."""
    for program in ("pulumi", "pulumi-language-python"):
        if not shutil.which(program):
            return f"needs {program} on the PATH"
    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return "needs a Docker engine"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if HERE in item.path.parents]
    lacks = missing() if mine else None
    for item in mine:
        item.add_marker(pytest.mark.timeout(1800))
        if lacks:
            item.add_marker(pytest.mark.skip(reason=lacks))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def suffix() -> str:
    """Makes the names of stacks of this run their own: several runs may share an engine."""
    return secrets.token_hex(3)
