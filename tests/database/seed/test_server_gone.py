"""A server that goes half-way through a load: killed with its container, or no longer reached by any packet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from schema import apply, connection
from schema.connection import Address
from schema.lifecompanion import declared
from seed import SeedError, Spec
from seed.load import worker_pool
from seed.load.loader import LoadOptions, seed
from tests.support.running.servers import Server, create_database, docker, impatient, running

pytestmark = pytest.mark.needs("official")

SPEC = Spec(users=20, days=60, readings=160_000, activities=300, until=datetime(2026, 6, 1, tzinfo=UTC))
PORTIONS = LoadOptions(single_transaction_rows=0, workers=2)


@dataclass(frozen=True)
class Machine:
    """A server of its own, asked past the proxy of its published port, which would answer for a server that is gone."""

    started: Server

    def docker(self, *words: str) -> None:
        docker(*words, str(self.started.container))

    def reached(self, address: Address) -> Address:
        """The address by which the container is reached now."""
        ip = docker("inspect", "--format", "{{.NetworkSettings.Networks.bridge.IPAddress}}",
                    str(self.started.container))
        return replace(address, host=ip.strip(), port=5432)

    def with_tables(self, name: str) -> Address:
        """A new database with the whole schema."""
        owner = create_database(replace(self.started, admin=self.reached(self.started.admin)), name).owner
        apply.ensure(owner, declared())
        return owner


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running("official", tmp_path_factory.mktemp("gone")) as started:
        yield Machine(started)


def once(action: Callable[[], object]) -> Callable[[str, int, int], None]:
    """A listener that does this when the first readings are sent."""
    did = threading.Event()

    def hear(heard: str, done: int, total: int) -> None:
        if heard == "environmental_readings" and not did.is_set():
            did.set()
            action()
    return hear


def require_reported_and_resumed(machine: Machine, address: Address, gone: Sequence[str], back: Sequence[str]) -> None:
    """The load ends with one line when docker does this to its server, and goes on once it does that."""
    with impatient(), pytest.raises(SeedError, match=r"could not be loaded: .*; the portions that are loaded stay"
                                    ) as caught:
        seed(address, SPEC, once(lambda: machine.docker(*gone)), PORTIONS)
    assert "\n" not in str(caught.value)
    assert address.password not in str(caught.value)
    machine.docker(*back)
    address = machine.reached(address)
    assert seed(address, SPEC, options=PORTIONS, wait_seconds=60).resumed
    with address.connect() as connection:
        assert connection.execute("SELECT count(*) FROM environmental_readings").fetchone() == (160_000,)
    assert apply.plan(address, declared()).render() == []


def test_packets_that_vanish_end_the_load_at_both_ends_and_it_goes_on_when_they_no_longer_do(
        machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.KEEPALIVES, "tcp_user_timeout", 1_500)
    monkeypatch.setitem(worker_pool.SERVER_KEEPALIVES, "tcp_keepalives_idle", 2)
    require_reported_and_resumed(machine, machine.with_tables("vanishing"), ["network", "disconnect", "bridge"],
                                 ["network", "connect", "bridge"])


def test_a_container_that_is_killed_ends_the_load_and_it_goes_on_once_it_is_started_again(machine: Machine) -> None:
    require_reported_and_resumed(machine, machine.with_tables("killed"), ["kill"], ["start"])
