"""Which tests may run side by side: `make test` uses two processes, and what shares a server stays in one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The longest first, so that the quick ones fill the gaps at the end.
GROUPS = ("stacks", "official", "debian", "embedded", "database")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Group the tests by what they share; unit tests share nothing."""
    groups = {item: _group(item) for item in items}
    items.sort(key=lambda item: GROUPS.index(group) if (group := groups[item]) in GROUPS else len(GROUPS))
    if config.pluginmanager.hasplugin("xdist"):
        for item, group in groups.items():
            if group:
                item.add_marker(pytest.mark.xdist_group(group))


def _group(item: pytest.Item) -> str | None:
    package = item.path.relative_to(HERE).parts[0]
    if package == "database":
        callspec = getattr(item, "callspec", None)
        return str(callspec.params.get("server", package)) if callspec else package
    return "stacks" if package in ("e2e", "program") else None
