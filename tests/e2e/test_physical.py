"""Physical backups of a stack: pgBackRest beside the server, WAL in the bucket, any point in time recovered."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from backups.physical.point_in_time import remove_container
from schema.connection import Address
from tests.support.programs.checkout import Checkout, Stack, left_in_docker

MONITOR = "given and not generated"


@pytest.fixture(scope="module")
def stack(checkout: Checkout, suffix: str) -> Iterator[Stack]:
    created = checkout.stack(f"phys{suffix}", {
        "target": "docker", "memory": "512MiB", "onUnsupported": "skip", "s3": "local", "s3OnUnsupported": "warn",
        # That WAL is archived follows from the schedule.
        "allowBucketDeletion": True, "backupSchedule": [
            {"kind": kind, "cron": "0 0 1 1 *"} for kind in ("full", "logical", "drill", "prune")]},
        secret={"passwords": json.dumps({"monitor": MONITOR})})
    created.up()
    yield created
    created.destroy()
    assert left_in_docker(created.name) == []


def backup(stack: Stack, *words: str) -> dict[str, object]:
    done = stack.checkout.lcdb("backup", *words, "--stack", stack.name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    output: dict[str, object] = json.loads(done.stdout)
    return output


def rows(address: Address) -> tuple[int, int]:
    with address.connect() as connection:
        row = connection.execute("SELECT count(*), coalesce(max(n), 0) FROM public.written").fetchone()
    assert row
    return row


def inside_drill_server(stack: Stack, *words: str) -> str:
    return subprocess.run(["docker", "exec", "--user", "postgres", f"lifecompanion-{stack.name}-drill", *words],
                          capture_output=True, text=True, check=True).stdout.strip()


def test_the_schedule_is_kept_by_its_container_and_makes_up_for_what_was_missed(stack: Stack) -> None:
    container = f"lifecompanion-{stack.name}-backup"
    wanted = {f"{kind}: {word}" for kind, word in (("full", "physical backup"), ("logical", "backup"),
                                                   ("drill", "backup"), ("prune", "deleted"))}
    deadline = time.monotonic() + 600
    while True:
        log = subprocess.run(["docker", "logs", container], capture_output=True, text=True, check=True).stdout
        if all(words in log for words in wanted):
            break
        assert time.monotonic() < deadline, log
        time.sleep(1)
    assert "FAILED" not in log
    # A backup of each kind, in the container that is there for drills: the live server saw nothing of it.
    proven = next(line for line in log.splitlines() if "drill: backup" in line)
    assert proven.count(" proven, recovered in ") == 2
    assert stack.query("SELECT count(*) FROM pg_stat_database WHERE datname LIKE 'lcdb_drill%'") == [(0,)]
    # Its WAL was there before the bucket: nothing was pushed without one, nor without a stanza.
    assert stack.query("SELECT failed_count FROM pg_stat_archiver") == [(0,)]
    assert inside_drill_server(stack, "psql", "-XAtc", "SELECT datname FROM pg_database WHERE datname ~ 'lcdb'") == ""
    assert "beside" not in inside_drill_server(stack, "ls", "/var/lib/postgresql/data").split()
    done = stack.checkout.lcdb("backup", "status", "--stack", stack.name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.outputs()["backup"]["keys"][0] not in log


def test_a_manifest_names_the_image_of_the_server(stack: Stack) -> None:
    runs = subprocess.run(["docker", "inspect", "--format", "{{.Image}}", f"lifecompanion-{stack.name}-primary"],
                          capture_output=True, text=True, check=True).stdout.strip()
    taken = backup(stack, "run", "--kind", "logical")
    shown = backup(stack, "show", str(taken["id"]))
    # The image is built here, so no registry has a name for it: its own id is its digest.
    assert shown["image_digest"] == runs


def test_neither_a_second_up_nor_a_refresh_changes_anything_and_no_secret_shows(stack: Stack) -> None:
    assert set(stack.up()) == {"same"}
    assert set(stack.refresh()) == {"same"}
    cipher = stack.outputs()["backup"]["physical"]["cipher"]
    secret = stack.outputs()["backup"]["s3"]["secret_key"]
    containers = [stack.outputs()["primary"]["container"], f"lifecompanion-{stack.name}-drill"]
    inspected = subprocess.run(["docker", "inspect", *containers], capture_output=True, text=True, check=True).stdout
    processes = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout
    for place in (inspected, processes, stack.state()):
        assert cipher not in place
        assert secret not in place


def test_recovery_is_exact_to_the_transaction_while_writers_go_on(stack: Stack, suffix: str) -> None:
    stack.query("CREATE TABLE public.written (n int, at timestamptz DEFAULT clock_timestamp())", role="owner")
    acknowledged: list[tuple[int, datetime]] = []
    stop = threading.Event()

    def write() -> None:
        with stack.address().connect() as connection:
            number = 0
            while not stop.is_set():
                number += 1
                connection.execute(b"INSERT INTO public.written (n) VALUES (%d)" % number)
                acknowledged.append((number, datetime.now(UTC)))
                time.sleep(0.01)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert backup(stack, "run", "--kind", "full")["kind"] == "full"
        assert backup(stack, "run")["kind"] == "incr"
        time.sleep(1)
        # Between two transactions: everything acknowledged before is there, and nothing that began after.
        before_name = rows(stack.address())[1]
        stack.query("SELECT pg_create_restore_point('here')")
        after_name = rows(stack.address())[1]
        time.sleep(0.5)
        with stack.address().connect() as connection:
            moment = connection.execute("SELECT clock_timestamp()").fetchone()[0]  # type: ignore[index]
        # Recovery ends at the first commit after that moment.
        written = len(acknowledged)
        while len(acknowledged) < written + 2:
            assert writer.is_alive()
            time.sleep(0.05)
    finally:
        stop.set()
        writer.join()
    stack.query("SELECT pg_switch_wal()")
    listed = backup(stack, "list")
    kinds = [entry["kind"] for entry in listed]  # type: ignore[index]
    assert kinds[-2:] == ["full", "incr"]

    with recovered(stack, f"pit-{suffix}", "--to", moment.isoformat()) as address:
        count, newest = rows(address)
        before = [number for number, at in acknowledged if at <= moment]
        assert count == newest
        assert len(before) <= newest <= len(before) + 1
        jobs_are_off(address)
    with recovered(stack, f"named-{suffix}", "--restore-point", "here") as address:
        # One may have been committed by then, and not yet been seen.
        assert before_name <= rows(address)[1] <= after_name + 1
        done = stack.checkout.lcdb("backup", "release", f"named-{suffix}", "--container")
        assert done.returncode == 0, done.stderr
        port = subprocess.run(["docker", "port", f"named-{suffix}", "5432/tcp"], capture_output=True, text=True,
                              check=True).stdout.split(":")[-1]
        with replace(address, port=int(port)).connect() as connection:
            assert connection.execute("SHOW timescaledb.max_background_workers").fetchone() != ("0",)


def test_a_point_in_time_becomes_a_stack_of_its_own_that_goes_on_by_itself(stack: Stack, suffix: str) -> None:
    stack.query("CREATE TABLE public.told (n int)", role="owner")
    stack.query("INSERT INTO public.told VALUES (1)", role="owner")
    moment = stack.query("SELECT clock_timestamp()")[0][0]
    stack.query("INSERT INTO public.told VALUES (2)", role="owner")
    stack.query("SELECT pg_switch_wal()")
    name = f"again{suffix}"
    words = ("restore", "--to", moment.isoformat(), "--target", name)
    try:
        done = stack.checkout.lcdb("backup", *words, "--stack", stack.name)
        assert done.returncode == 0, done.stdout + done.stderr
        recovered_stack = stack.checkout.existing(name)
        assert recovered_stack.query("SELECT n FROM public.told", role="app") == [(1,)]
        assert recovered_stack.query("SHOW timescaledb.max_background_workers") == [("0",)]
        assert recovered_stack.query("SELECT failed_count FROM pg_stat_archiver") == [(0,)]  # into a bucket of its own
        assert recovered_stack.outputs()["logins"]["monitor"]["password"] == MONITOR
        assert MONITOR not in (stack.checkout.root / f"Pulumi.{name}.yaml").read_text() + recovered_stack.state()
        assert set(recovered_stack.up()) == {"same"}
        assert set(recovered_stack.refresh()) == {"same"}
        again = stack.checkout.lcdb("backup", *words, "--stack", stack.name)
        assert (again.returncode, f"Pulumi.{name}.yaml is there already" in again.stderr) == (1, True)
        released = stack.checkout.lcdb("backup", "release", name, "--target")
        assert released.returncode == 0, released.stderr
        assert recovered_stack.query("SHOW timescaledb.max_background_workers") != [("0",)]
        assert recovered_stack.query("SELECT n FROM public.told", role="app") == [(1,)]
        twice = stack.checkout.lcdb("backup", "release", name, "--target")
        assert (twice.returncode, "its jobs are not held" in twice.stderr) == (1, True)
    finally:
        if (stack.checkout.root / f"Pulumi.{name}.yaml").exists():
            stack.checkout.existing(name).destroy()
    assert left_in_docker(name) == []
    assert stack.query("SELECT n FROM public.told ORDER BY n", role="app") == [(1,), (2,)]


def test_a_new_stack_needs_its_sources_state(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "backup.json"
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600), "w") as out:
        out.write(json.dumps(stack.outputs()["backup"]))
    done = stack.checkout.lcdb("backup", "restore", "--restore-point", "here", "--target", "x", "--config", str(file))
    assert (done.returncode, "--target: found with --config, required --stack" in done.stderr) == (1, True)
    both = stack.checkout.lcdb("backup", "restore", "--restore-point", "here", "--stack", stack.name)
    assert (both.returncode, "neither of --target and --container" in both.stderr) == (1, True)


def test_a_point_before_the_first_backup_is_one_line_and_leaves_nothing(stack: Stack, suffix: str) -> None:
    name = f"early-{suffix}"
    try:
        done = stack.checkout.lcdb("backup", "restore", "--to", "2020-01-01 00:00:00+00", "--container", name,
                                   "--stack", stack.name)
        assert done.returncode == 1
        assert done.stderr.startswith("point in time 2020-01-01 00:00:00+00:00: before backup ")
        assert done.stderr.count("\n") == 1
        inspected = subprocess.run(["docker", "inspect", name], capture_output=True, check=False)
        assert inspected.returncode != 0
    finally:
        remove_container(name)


def test_a_time_without_a_zone_is_refused(stack: Stack) -> None:
    done = stack.checkout.lcdb("backup", "restore", "--to", "2026-11-22 09:41:00", "--container", "x", "--stack",
                               stack.name)
    assert (done.returncode, "without a time zone" in done.stderr) == (1, True)


def jobs_are_off(address: Address) -> None:
    with address.connect() as connection:
        assert connection.execute("SHOW timescaledb.max_background_workers").fetchone() == ("0",)


class recovered:
    """A server recovered by the command line; it is removed afterwards."""

    def __init__(self, stack: Stack, name: str, *words: str) -> None:
        self.stack, self.name, self.words = stack, name, words

    def __enter__(self) -> Address:
        output = backup(self.stack, "restore", *self.words, "--container", self.name)
        address = replace(self.stack.address(), port=int(str(output["port"])))
        try:
            psycopg.connect(address.dsn()).close()
        except psycopg.Error:
            remove_container(self.name)
            raise
        return address

    def __exit__(self, *_: object) -> None:
        remove_container(self.name)


