"""End-to-end tests: the real CLI, a real engine, real servers; skipped where a machine lacks one of them."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from tests.support.programs.checkout import Checkout, make_checkout

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))
            item.add_marker(pytest.mark.needs("docker", "pulumi"))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return make_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def suffix() -> str:
    """Return a suffix that makes this run's stack names unique: several runs may share an engine."""
    return secrets.token_hex(3)
