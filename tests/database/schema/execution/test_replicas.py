"""Standbys: a heavy step waits until none is too far behind; a standby and a read-only login are refused clearly."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from infra.settings import OFFICIAL_IMAGE
from infra.targets.docker import IMAGES
from schema import apply
from schema.catalog.replicas import read_lags
from schema.connection import Address
from schema.errors import ApplyError, UnsupportedError
from schema.model.objects import Column, Index, Table
from tests.support.machine import require
from tests.support.running.servers import Database, docker

TABLE = Table("notes", (Column("id", "bigint"), Column("text", "text")))
INDEXED = replace(TABLE, indexes=(Index("by_id", ("id",)),))
ROWS = "INSERT INTO notes SELECT n, repeat('x', 100) FROM generate_series(1, 2000) n"
WRITTEN = "INSERT INTO notes SELECT n, md5(n::text) FROM generate_series(1, 20000) n"
START_SECONDS = 120


@dataclass(frozen=True)
class Pair:
    """A primary and its streaming standby, called walker."""

    primary: Address
    standby: Address


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A real primary and a real standby in containers, as the docker target makes them."""
    require("official")
    folder, password, tag = tmp_path_factory.mktemp("pair"), secrets.token_hex(8), secrets.token_hex(4)
    names = {"primary": f"schema-test-primary-{tag}", "standby": f"schema-test-standby-{tag}"}
    network = f"schema-test-{tag}"
    docker("network", "create", network)
    try:
        primary = _primary(names["primary"], network, password, folder)
        yield Pair(primary, _standby(names, network, password, folder))
    finally:
        docker("rm", "--force", "--volumes", *names.values())
        docker("network", "rm", network)


def _primary(name: str, network: str, password: str, folder: Path) -> Address:
    hba = folder / "pg_hba.conf"
    hba.write_text("local all all trust\nhost all all all scram-sha-256\nhost replication all all scram-sha-256\n")
    docker("run", "--detach", "--name", name, "--network", network, "--publish", "127.0.0.1::5432",
               "--volume", f"{hba}:/etc/pg_hba.conf:ro", "--env", f"POSTGRES_PASSWORD={password}", OFFICIAL_IMAGE,
               "postgres", "-c", "hba_file=/etc/pg_hba.conf", "-c", "fsync=off",
               "-c", "timescaledb.telemetry_level=off", "-c", "timescaledb.max_background_workers=0")
    address = _address(name, password)
    _await(lambda: _query(address, "SELECT NOT pg_is_in_recovery()"))
    with address.connect() as connection:
        connection.execute("SELECT pg_create_physical_replication_slot('walker', true)")
        connection.execute(f"CREATE ROLE replicator REPLICATION LOGIN PASSWORD '{password}'".encode())
        connection.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")
    return address


def _standby(names: dict[str, str], network: str, password: str, folder: Path) -> Address:
    secret = folder / "replicator-password"
    secret.write_text(password)
    docker("run", "--detach", "--name", names["standby"], "--network", network, "--publish", "127.0.0.1::5432",
               "--volume", f"{secret}:/run/lifecompanion/replicator-password:ro",
               "--volume", f"{(IMAGES / 'server' / 'standby.sh').resolve()}:/usr/local/bin/standby.sh:ro",
               "--env", f"PRIMARY_HOST={names['primary']}", "--env", "SLOT=walker", "--env", "REPLICATOR=replicator",
               "--entrypoint", "sh", OFFICIAL_IMAGE, "/usr/local/bin/standby.sh", "postgres", "-c", "fsync=off",
               "-c", "timescaledb.max_background_workers=0")
    address = _address(names["standby"], password)
    _await(lambda: _query(address, "SELECT pg_is_in_recovery()"))
    return address


def _address(name: str, password: str) -> Address:
    port = int(docker("port", name, "5432/tcp").splitlines()[0].split(":")[-1])
    return Address("127.0.0.1", port, "postgres", "postgres", password)


def _query(address: Address, query: str) -> object:
    with psycopg.connect(address.dsn(), connect_timeout=5, autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row and row[0]


def _await(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except psycopg.OperationalError:
            pass
        time.sleep(0.3)
    raise TimeoutError("the server did not come to it in time")


@pytest.fixture
def behind(pair: Pair) -> Iterator[Pair]:
    """The standby's replay is paused while the primary goes on writing."""
    with pair.primary.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS notes")
        connection.execute("CREATE TABLE notes (id bigint, text text)")
        connection.execute(ROWS.encode())
    _query(pair.standby, "SELECT pg_wal_replay_pause()")
    _await(lambda: _query(pair.standby, "SELECT pg_get_wal_replay_pause_state() = 'paused'"))
    with pair.primary.connect() as connection:
        connection.execute(WRITTEN.encode())
    yield pair
    _query(pair.standby, "SELECT pg_wal_replay_resume()")


def test_a_heavy_step_does_not_start_while_a_standby_lags_and_the_error_names_the_standby(behind: Pair) -> None:
    options = apply.Options(max_replica_lag=100_000, lag_wait_seconds=1)
    messages: list[str] = []
    with pytest.raises(ApplyError, match=r"standby walker is [\d,]+ bytes behind, still after 1 s \(100,000 allowed\)"):
        apply.ensure(behind.primary, [INDEXED], options=options, progress=messages.append)
    assert messages[0].startswith("waiting for standby walker: ")
    assert len(messages) == 1
    assert apply.plan(behind.primary, [INDEXED]).steps != ()


def test_a_heavy_step_starts_once_the_standby_has_caught_up(behind: Pair) -> None:
    messages: list[str] = []

    def hear(line: str) -> None:
        messages.append(line)
        if line.startswith("waiting"):
            _query(behind.standby, "SELECT pg_wal_replay_resume()")
    apply.ensure(behind.primary, [INDEXED], options=apply.Options(max_replica_lag=100_000), progress=hear)
    assert [line.split()[0] for line in messages] == ["waiting", "CREATE"]
    assert apply.plan(behind.primary, [INDEXED]).steps == ()


def test_light_steps_and_plans_without_a_limit_wait_for_nobody(behind: Pair) -> None:
    light = replace(TABLE, comment="Light")
    apply.ensure(behind.primary, [light], options=apply.Options(max_replica_lag=1, lag_wait_seconds=0))
    apply.ensure(behind.primary, [replace(INDEXED, comment="Light")])


def test_a_login_that_may_not_see_standbys_goes_by_their_slots(behind: Pair) -> None:
    password = secrets.token_hex(8)
    with behind.primary.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS plain")
        connection.execute(f"CREATE ROLE plain LOGIN PASSWORD '{password}'".encode())
        seen = read_lags(connection)
    assert [lag.standby for lag in seen] == ["walker"]
    with replace(behind.primary, user="plain", password=password).connect() as connection:
        received = read_lags(connection)
    assert [lag.standby for lag in received] == ["walker"]
    assert received[0].bytes < seen[0].bytes  # a slot tells what was received, not what was replayed


def test_a_standby_is_refused_with_a_remedy(pair: Pair) -> None:
    for call in (apply.plan, apply.ensure, apply.read):
        with pytest.raises(UnsupportedError, match="the server is a standby and takes no changes; give the primary's"):
            call(pair.standby, [TABLE])  # type: ignore[operator]


@pytest.mark.servers("official", "debian")
def test_a_read_only_login_is_refused_with_a_remedy(database: Database) -> None:
    with database.admin.connect() as connection:
        name = database.owner.database
        connection.execute(f"ALTER ROLE {database.owner.user} IN DATABASE \"{name}\" "
                           "SET default_transaction_read_only = on".encode())
    with pytest.raises(UnsupportedError, match="the connection is read-only; clear default_transaction_read_only for"):
        apply.plan(database.owner, [TABLE])
