"""End-to-end tests: the real CLI, a real engine, real servers; skipped where a machine lacks one of them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.checkout import PASSPHRASE, Checkout, make_checkout

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))
            item.add_marker(pytest.mark.needs("docker", "pulumi"))


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Its state lies where `lcdb` keeps it, and it is in a list of checkouts that is not this user's own."""
    root = tmp_path_factory.mktemp("checkout")
    copy = make_checkout(root)
    state, passphrase = root / ".lcdb" / "state", root / ".lcdb" / "passphrase"
    state.mkdir(mode=0o700)
    passphrase.touch(mode=0o600)
    passphrase.write_text(PASSPHRASE)
    return replace(copy, env={**copy.env, "PULUMI_BACKEND_URL": f"file://{state}",
                              "XDG_STATE_HOME": str(tmp_path_factory.mktemp("user"))})


@pytest.fixture(scope="module")
def suffix() -> str:
    """Return a suffix that makes this run's stack names unique: several runs may share an engine."""
    return secrets.token_hex(3)
