"""A fresh database for each test, on every kind of server that this machine can have.

`@pytest.mark.servers("official", "debian")` limits a test to these kinds; those of `@pytest.mark.repeats("debian")`, on
which it asks nothing new, are left to a nightly run. The database of a failed test is kept as long as the server runs;
its name is the test's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

import pytest

from tests.support.machine import find_lack
from tests.support.running.archived import bridge_address
from tests.support.running.s3_servers import LOOPBACK, S3Server, seaweedfs
from tests.support.running.servers import (
    KINDS,
    Database,
    Server,
    create_database,
    create_declared,
    drop_database,
    running,
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "servers(*kinds): the server kinds that the test is about")
    config.addinivalue_line("markers", "repeats(*kinds): those on which it asks nothing new")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("servers")
        repeats = metafunc.definition.get_closest_marker("repeats")
        kinds = kinds_to_run(marker.args if marker else KINDS, repeats.args if repeats else (), metafunc.config)
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


def kinds_to_run(kinds: Sequence[str], repeats: Sequence[str], config: pytest.Config) -> list[str]:
    """Return the kinds of server to run a test on, of those that it names.

    The embedded server, of the official one's edition, and those of `repeats` replace that where it cannot be had, and
    are added with `--every-server`.
    """
    left_out = {"embedded", *repeats} if "official" in kinds and find_lack("official") is None and not (
        config.getoption("--every-server") or config.getoption("--quick")) else ()
    return [kind for kind in kinds if kind not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Return a function that starts a server of a kind once; all are stopped at the end of the run."""
    with ExitStack() as stack:
        started: dict[str, Server] = {}

        def start(kind: str) -> Server:
            if kind not in started:
                started[kind] = stack.enter_context(running(kind, tmp_path_factory.mktemp(kind)))
            return started[kind]

        yield start


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: Callable[[str], Server]) -> Server:
    """Return a running server; skip the test where the machine cannot have it."""
    return servers(request.param)


@pytest.fixture
def database(request: pytest.FixtureRequest, server: Server) -> Iterator[Database]:
    """Return a fresh database with TimescaleDB and an owner who is no superuser."""
    yield from kept_if_failed(request, create_database(server, name_of(request)))


@pytest.fixture
def declared_database(request: pytest.FixtureRequest, server: Server) -> Iterator[Database]:
    """Return a fresh database with the whole schema, without rows and without what the edition does not support."""
    yield from kept_if_failed(request, create_declared(server, name_of(request)))


def name_of(request: pytest.FixtureRequest) -> str:
    """Return the database's name, derived from the test's."""
    return "t_" + re.sub(r"\W+", "_", request.node.name).lower().strip("_")[-50:]


def kept_if_failed(request: pytest.FixtureRequest, database: Database) -> Iterator[Database]:
    """Yield the database; drop it unless the test failed."""
    yield database
    if not request.node.stash.get(FAILED, False):
        drop_database(database)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Return the S3 server of this process of the run; containers reach it where an engine answers.

    A test creates its own bucket and leaves the server unchanged.
    """
    host = LOOPBACK if find_lack("docker") else bridge_address()
    with seaweedfs(tmp_path_factory.mktemp("s3"), host) as running_server:
        yield running_server
