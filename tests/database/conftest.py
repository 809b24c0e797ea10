"""A fresh database for each test, on every server kind that this machine can have.

`@pytest.mark.servers("official", "debian")` limits a test to the kinds it is about. A failed test leaves its database
for inspection as long as the server runs: its name is the test's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.support.archived import bridge_address
from tests.support.machine import find_lack
from tests.support.s3_servers import LOOPBACK, S3Server, seaweedfs
from tests.support.servers import KINDS, Database, Server, create_database, create_declared, drop_database, running


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "servers(*kinds): the server kinds that the test is about")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("servers")
        kinds = kinds_to_run(marker.args if marker else KINDS, metafunc.config)
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


def kinds_to_run(kinds: Sequence[str], config: pytest.Config) -> list[str]:
    """The servers to run a test on, of those that it is about. The embedded one, of the official one's edition, is
    asked in its stead where that cannot be had, and beside it where `--every-server` says so."""
    repeated = "official" in kinds and find_lack("official") is None and not (
        config.getoption("--every-server") or config.getoption("--quick"))
    return [kind for kind in kinds if not (repeated and kind == "embedded")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Starts a server of a kind, once; all of them are stopped at the end of the run."""
    with ExitStack() as stack:
        started: dict[str, Server] = {}

        def start(kind: str) -> Server:
            if kind not in started:
                started[kind] = stack.enter_context(running(kind, tmp_path_factory.mktemp(kind)))
            return started[kind]

        yield start


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """One running server; the test is skipped where the machine cannot have it."""
    return servers(request.param)


@pytest.fixture
def database(request: pytest.FixtureRequest, server: Server) -> Iterator[Database]:
    """A fresh database with TimescaleDB and an owner who is no superuser."""
    yield from kept_if_failed(request, create_database(server, name_of(request)))


@pytest.fixture
def declared_database(request: pytest.FixtureRequest, server: Server) -> Iterator[Database]:
    """The same with the whole schema, without rows; what the server's edition cannot have is left out."""
    yield from kept_if_failed(request, create_declared(server, name_of(request)))


def name_of(request: pytest.FixtureRequest) -> str:
    """The database's name, by which it is found after a failure."""
    return "t_" + re.sub(r"\W+", "_", request.node.name).lower().strip("_")[-50:]


def kept_if_failed(request: pytest.FixtureRequest, database: Database) -> Iterator[Database]:
    """Hand it over, and drop it after a test that passed."""
    yield database
    if not request.node.stash.get(FAILED, False):
        drop_database(database)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The S3 server of this process of the run; where an engine answers, containers reach it too. Who uses it makes a
    bucket of his own, and leaves the server as it is."""
    host = LOOPBACK if find_lack("docker") else bridge_address()
    with seaweedfs(tmp_path_factory.mktemp("s3"), host) as running_server:
        yield running_server
