"""`lcdb seed` as a program: what it prints, its exit status, Ctrl-C; every refusal is one line without the password."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from infra.settings import OFFICIAL_IMAGE
from schema import apply
from schema.connection import Address
from schema.errors import ServerUnreachableError
from schema.lifecompanion import declared
from seed import SeedError, Spec
from seed.load.ledger import SCHEMA
from seed.load.loader import LoadOptions, seed
from tests.support.running.servers import Database, docker

# A test run in the background ignores Ctrl-C, and so would its children: here it is as in a terminal.
COMMAND = [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
                                 "from cli import main; main()", "seed"]
DISK_MIB, TAKEN_MIB = 160, 150


def lcdb_seed(address: Address, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, check=False, timeout=600,
                          env={**os.environ, "LCDB_DSN": address.dsn(), "COLUMNS": "100"})


@pytest.fixture
def empty(declared_database: Database) -> Database:
    return declared_database


@pytest.mark.servers("official")
def test_json_says_what_was_loaded_and_a_second_run_what_was_left_alone(empty: Database) -> None:
    options = ("--users", "2", "--devices-per-user", "2", "--days", "3", "--interval", "600", "--json")
    first, second = (json.loads(lcdb_seed(empty.owner, *options).stdout) for _ in range(2))
    assert first["counts"]["environmental_readings"] == 4 * 3 * 144
    assert (first["skipped"], second["skipped"]) == (False, True)
    assert first["counts"] == second["counts"]
    assert first["seconds"] > 0
    added = json.loads(lcdb_seed(empty.owner, *options, "--add").stdout)
    assert (added["skipped"], added["counts"]["users"]) == (False, 2)
    assert empty.execute("SELECT count(*) FROM users") == [(4,)]


LARGE = ("--users", "20", "--days", "60", "--interval", "590", "--activities", "500", "--workers", "2")


def loading(empty: Database) -> subprocess.Popen[str]:
    """The program in the middle of a large load: some portions are loaded, others are not."""
    program = subprocess.Popen([*COMMAND, *LARGE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "LCDB_DSN": empty.owner.dsn(), "COLUMNS": "100"})
    deadline = time.monotonic() + 60
    while not empty.execute(f"SELECT to_regclass('{SCHEMA}.portion') IS NOT NULL")[0][0] or not empty.execute(
            f"SELECT count(*) FROM {SCHEMA}.portion")[0][0]:
        assert program.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return program


def require_the_same_command_finishes_it(empty: Database) -> None:
    done = lcdb_seed(empty.owner, *LARGE)
    assert done.returncode == 0
    assert "environmental_readings: 527,160\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("finished in ")
    assert empty.execute("SELECT count(*) FROM environmental_readings") == [(527_160,)]


@pytest.mark.servers("official")
def test_ctrl_c_ends_the_program_with_130_and_the_same_command_goes_on(empty: Database) -> None:
    program = loading(empty)
    program.send_signal(signal.SIGINT)
    out, err = program.communicate(timeout=60)
    assert program.returncode == 130
    assert "interrupted; the portions that are loaded stay" in out + err
    assert "Traceback" not in out + err
    require_the_same_command_finishes_it(empty)


@pytest.mark.servers("official")
def test_a_server_that_crashes_half_way_is_one_line_and_the_same_command_goes_on(empty: Database) -> None:
    program = loading(empty)
    while program.poll() is None:
        with suppress(psycopg.OperationalError, ServerUnreachableError), empty.admin.connect() as connection:
            for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%%' AND "
                                             "application_name = 'lifecompanion seed' AND datname = %s",
                                             [empty.owner.database]).fetchall()[:1]:
                # A backend that is killed takes all connections with it, without a word.
                connection.execute(f"COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; kill -9 {pid}'")
        time.sleep(0.02)
    _, err = program.communicate(timeout=60)
    assert program.returncode == 1
    assert len(err.strip().splitlines()) == 1, err
    assert "could not be loaded: " in err
    assert "the portions that are loaded stay" in err
    assert empty.owner.password not in err
    require_the_same_command_finishes_it(empty)


@pytest.mark.servers("official")
@pytest.mark.parametrize(("options", "complaint"), [
    (["--users", "0"], "seed users: 0 is not a whole number of at least 1; correct it"),
    (["--days", "-3"], "seed days: -3 is not a whole number of at least 1; correct it"),
    (["--since", "2026-03-02", "--until", "2026-03-01"], "seed since: 2026-03-02T00:00:00+00:00 is not before the end"),
    (["--since", "2026-03-02", "--days", "3"], "--since and --days: both say where the data begins; give one of them"),
    (["--readings", "-1"], "seed readings: -1 is not a whole number of at least 0; correct it"),
    (["--resume", "--discard"], "--resume and --discard: they exclude each other; give one of them"),
    (["--resume"], "no interrupted load to finish; leave out --resume to begin one"),
    (["--interval", "0"], "seed interval: 0 is not a whole number of at least 2; correct it"),
    (["--notifications", "90000"], "seed notifications: 90000 asked for, but"),
])
def test_a_wrong_request_is_one_line_and_loads_nothing(empty: Database, options: list[str], complaint: str) -> None:
    done = lcdb_seed(empty.owner, *options)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert empty.owner.password not in done.stdout + done.stderr
    assert empty.execute("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.needs("official")
def test_a_full_disk_is_a_one_line_error_and_the_load_continues_once_there_is_room() -> None:
    name = f"seed-full-{os.getpid()}"
    docker("run", "--detach", "--name", name, "--publish", "127.0.0.1::5432", "--tmpfs",
            f"/small:size={DISK_MIB}m", "--env", "POSTGRES_PASSWORD=full-disk",
            OFFICIAL_IMAGE, "postgres", "-c", "fsync=off", "-c", "timescaledb.max_background_workers=0")
    try:
        port = int(docker("port", name, "5432/tcp").split(":")[-1])
        admin = Address("127.0.0.1", port, "postgres", "postgres", "full-disk")
        admin.connect(wait_seconds=240).close()
        docker("exec", "--user", "root", name, "install", "-d", "-o", "postgres", "/small/space")
        docker("exec", "--user", "root", name, "dd", "if=/dev/zero", "of=/small/ballast", "bs=1M",
                f"count={TAKEN_MIB}")
        with admin.connect(wait_seconds=240) as connection:
            connection.execute("CREATE TABLESPACE small LOCATION '/small/space'")
            connection.execute("CREATE DATABASE crowded")
        crowded = replace(admin, database="crowded")
        apply.ensure(crowded, declared())
        with crowded.connect() as connection:
            connection.execute("SELECT attach_tablespace('small', 'environmental_readings')")
        spec = Spec(users=20, days=60, readings=120_000, activities=300, until=datetime(2026, 6, 1, tzinfo=UTC))
        portions = LoadOptions(single_transaction_rows=0, workers=2)
        with pytest.raises(SeedError, match=r"No space left on device; the portions that are loaded stay") as caught:
            seed(crowded, spec, options=portions)
        assert "\n" not in str(caught.value)
        docker("exec", "--user", "root", name, "rm", "/small/ballast")
        assert seed(crowded, spec, options=portions).resumed
        with crowded.connect() as connection:
            connection.execute("SELECT detach_tablespace('small', 'environmental_readings')")
        assert apply.plan(crowded, declared()).render() == []
        with crowded.connect() as connection:
            assert connection.execute("SELECT count(*) FROM environmental_readings").fetchone() == (120_000,)
    finally:
        docker("rm", "--force", "--volumes", name)
