"""Rules for every test: which may run in parallel, what each needs of the machine, what it may not leave open.

`@pytest.mark.needs("official", "s3")` skips a test, or all of a file by `pytestmark`, where tests/support/machine.py
says that one is missing.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import settings

from tests.support import machine
from tests.support.running.leaks import pytest_collection_finish, pytest_fixture_setup, pytest_runtest_teardown
from tests.support.skip_report import pytest_terminal_summary

__all__ = ["pytest_collection_finish", "pytest_fixture_setup", "pytest_runtest_teardown", "pytest_terminal_summary"]

# How long an example takes is no fact about behaviour.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

# The longest first, so that the quick ones fill the gaps at the end.
ORDER = ("e2e", "database", "official", "debian", "embedded", "program", "unit")
KINDS = ("official", "debian", "embedded")
# What looks at all containers of drills, or at all processes, runs beside no other that starts some.
TOGETHER = {f"tests/database/backups/test_{name}.py": "drills" for name in ("drill", "physical", "processes")}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="unit tests, and database tests on the embedded server alone")
    parser.addoption("--every-server", action="store_true",
                     help="the embedded server also for tests that the official one runs, and those they repeat on")


def pytest_configure(config: pytest.Config) -> None:
    """Decide before the first test what holds for the whole run, and pass it to the processes of xdist."""
    config.addinivalue_line("markers", "needs(*names): what the machine must have, of tests/support/machine.py")
    config.stash[DECIDED] = getattr(config, "workerinput", {}).get("machine") or machine.decide()
    machine.adopt(config.stash[DECIDED])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["machine"] = node.config.stash[DECIDED]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip before any fixture is set up."""
    for marker in item.iter_markers("needs"):
        machine.require(*marker.args)


DECIDED = pytest.StashKey[dict[str, Any]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the groups; a quick run leaves out everything that needs more than an embedded server."""
    if config.getoption("--quick"):
        kept = [item for item in items if group_of(item.nodeid).startswith(("embedded:", "unit:"))]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
        items[:] = kept
    items.sort(key=lambda item: rank(group_of(item.nodeid)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole groups, in order."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


def group_of(nodeid: str) -> str:
    """Return the group of tests that share a process and fixtures: those of a file, on one kind of server."""
    path, _, name = nodeid.partition("::")
    parameters = re.split(r"[-\[\]]", name)
    kind = next((kind for kind in KINDS if kind in parameters), None)
    package = path.split("/")[1] if path.startswith("tests/") else ""
    return f"{kind or package}:{TOGETHER.get(path, path)}"


def rank(group: str) -> int:
    package = group.partition(":")[0]
    return ORDER.index(package) if package in ORDER else len(ORDER)
