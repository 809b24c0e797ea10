"""Which tests may run side by side: `make test` uses three processes, and what shares a server stays in one of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes is no fact about behaviour.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

# The longest first, so that the quick ones fill the gaps at the end.
GROUPS = ("stacks", "official", "debian", "embedded", "database")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the groups into their order."""
    items.sort(key=lambda item: GROUPS.index(group) if (group := group_of(item.nodeid)) in GROUPS else len(GROUPS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups, in their order."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """What the test shares with others: the names of stacks, a server; unit tests share just their file."""
    path, _, name = nodeid.partition("::")
    package = path.split("/")[1]
    if package in ("e2e", "program"):
        return "stacks"
    if package != "database":
        return path
    parameters = re.split(r"[-\[\]]", name)
    return next((group for group in GROUPS if group in parameters), package)
