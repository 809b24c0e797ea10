"""Physical backups and recoveries killed in the middle, and points in time beside writers that never stop."""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from backups.errors import BackupError, BusyError, MissedPointError, RestoreError
from backups.physical.backup import take_physical, verify_physical
from backups.physical.catalog import PhysicalEntry, list_physical
from backups.physical.point_in_time import recover, remove_container
from schema.connection import Address
from tests.support.running.archived import DATABASE, Archived, archived_at
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import docker

pytestmark = pytest.mark.needs("official", "s3")

# A nightly run sets 50.
KILLS = int(os.environ.get("LCDB_TEST_KILLS", "4"))
LCDB = [sys.executable, "-c", "from cli import main; main()", "backup"]
RUN = [*LCDB, "run", "--kind", "full", "--no-verify", "--config"]


@dataclass
class Subject:
    """The archive, which has another port after its container was started again, and its S3 server."""

    archive: Archived
    s3: S3Server
    file: Path
    right: set[str] = field(default_factory=set)  # backups that were read back before

    def start_again(self) -> None:
        docker("start", self.archive.container)
        port = int(docker("port", self.archive.container, "5432/tcp").split(":")[-1])
        admin = replace(self.archive.admin, port=port)
        config = self.archive.config.model_copy(update={"admin": admin.to_dict(), "database": admin.to_dict()})
        self.archive = replace(self.archive, admin=admin, config=config)
        admin.connect(wait_seconds=240).close()
        self.write()

    def write(self) -> None:
        self.archive.write_settings(self.file)


@pytest.fixture(scope="module")
def subject(s3: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    with archived_at(s3) as archive:
        archive.execute("CREATE TABLE public.noise AS SELECT n, md5(random()::text) FROM "
                        "generate_series(1, 300000) n",
                        "CREATE TABLE public.written (writer int, n int)")
        tested = Subject(archive, s3, tmp_path_factory.mktemp("config") / "backup.json")
        tested.write()
        yield tested


def kill_client(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    process.kill()


def kill_pgbackrest(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    docker("exec", subject.archive.container, "sh", "-c",
           "for each in /proc/[0-9]*; do [ ${each#/proc/} = $$ ] || ! grep -qa 'pgbackrest.*backup' $each/cmdline ||"
           " kill -9 ${each#/proc/}; done")


def kill_container(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    docker("kill", subject.archive.container)
    process.wait(60)
    subject.start_again()


def kill_s3(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    subject.s3.restart()


# The other two take a nightly run: a client's death leaves pgBackRest at work, and it waits long for an S3 server.
@pytest.mark.parametrize("kill", [kill_pgbackrest, kill_container, *([kill_client, kill_s3] if KILLS > 4 else [])])
def test_after_a_kill_in_the_middle_every_backup_that_is_listed_is_right_and_the_next_one_succeeds(
        subject: Subject, kill: Callable[[Subject, subprocess.Popen[bytes]], None]) -> None:
    dice = random.Random(kill.__name__)
    for _ in range(max(1, KILLS // 4)):
        with subprocess.Popen([*RUN, str(subject.file)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            wait_until_copying(subject, process)
            time.sleep(dice.uniform(0.0, 1.0))
            kill(subject, process)
            _, output = process.communicate(timeout=120)
            assert b"Traceback" not in output
    entry = take_when_free(subject)
    config = subject.archive.config
    listed = list_physical(config.store(), DATABASE)
    assert entry.id == listed[-1].id
    for backup in (backup for backup in listed if backup.id not in subject.right):
        verify_physical(config, backup)
        subject.right.add(backup.id)


def wait_until_copying(subject: Subject, process: subprocess.Popen[bytes]) -> None:
    """Until pgBackRest is at the backup itself; the process may be quicker."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        seen = docker("exec", subject.archive.container, "sh", "-c",
                      "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
        if "backup:" in seen or "type=full" in seen:
            return
        time.sleep(0.05)


def take_when_free(subject: Subject) -> PhysicalEntry:
    """A backup whose client was killed goes on in the server until it ends."""
    deadline = time.monotonic() + 120
    while True:
        try:
            return take_physical(subject.archive.config, "full", verified=False)
        except BusyError:
            assert time.monotonic() < deadline
            time.sleep(0.5)


@dataclass
class Writers:
    """What each writer was told: its number, when it began and when it was acknowledged."""

    done: list[tuple[int, int, datetime, datetime]]

    def acknowledged_by(self, moment: datetime) -> set[tuple[int, int]]:
        return {(writer, n) for writer, n, _, acknowledged in self.done if acknowledged < moment}

    def started_after(self, moment: datetime) -> set[tuple[int, int]]:
        return {(writer, n) for writer, n, started, _ in self.done if started > moment}


@contextmanager
def writing(address: Address, count: int = 3) -> Iterator[Writers]:
    """Writers that commit a row each, as fast as every 5 ms, until the block ends."""
    writers, over = Writers([]), threading.Event()

    def write(writer: int) -> None:
        with address.connect() as connection:
            n = 0
            while not over.is_set():
                n += 1
                started = datetime.now(UTC)
                connection.execute(b"INSERT INTO public.written VALUES (%d, %d)" % (writer, n))
                writers.done.append((writer, n, started, datetime.now(UTC)))
                time.sleep(0.005)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield writers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@dataclass(frozen=True)
class Points:
    """Moments between two of which the point lies: what was acknowledged by the first is there, what began after the
    second is not."""

    writers: Writers
    time: datetime
    before_name: datetime
    after_name: datetime


@pytest.fixture(scope="module")
def points(subject: Subject) -> Points:
    """Points that are older than the newest backup: writers go on through three backups."""
    config, archive = subject.archive.config, subject.archive
    take_when_free(subject)
    with writing(archive.admin) as writers:
        take_physical(config, "incr", verified=False)
        time.sleep(0.5)
        before = datetime.now(UTC)
        archive.execute("SELECT pg_create_restore_point('here')")
        after = datetime.now(UTC)
        time.sleep(0.5)
        moment = datetime.now(UTC)
        time.sleep(0.5)
        take_physical(config, "incr", verified=False)
        time.sleep(0.3)
    archive.execute("SELECT pg_switch_wal()")
    return Points(writers, moment, before, after)


@contextmanager
def recovered(subject: Subject, **point: object) -> Iterator[set[tuple[int, int]]]:
    """The rows of a server recovered to a point, its jobs off; it is removed afterwards."""
    name = f"recovered-{secrets.token_hex(4)}"
    try:
        server = recover(subject.archive.config, name, **point)  # type: ignore[arg-type]
        with server.address.connect() as connection:
            assert connection.execute("SHOW timescaledb.max_background_workers").fetchone() == ("0",)
            yield set(connection.execute("SELECT writer, n FROM public.written").fetchall())  # type: ignore[arg-type]
    finally:
        remove_container(name)


def test_recovery_to_a_time_before_the_newest_backup_has_all_acknowledged_rows_and_nothing_later(
        subject: Subject, points: Points) -> None:
    with recovered(subject, to=points.time) as rows:
        assert points.writers.acknowledged_by(points.time) <= rows
        assert not points.writers.started_after(points.time) & rows
    assert points.writers.started_after(points.time)


def test_a_restore_point_before_the_newest_backup_is_reached_from_an_older_one(
        subject: Subject, points: Points) -> None:
    lines: list[str] = []
    with recovered(subject, restore_point="here", listener=lines.append) as rows:
        assert points.writers.acknowledged_by(points.before_name) <= rows
        assert not points.writers.started_after(points.after_name) & rows
    assert any("does not come after backup" in line for line in lines)


def test_a_restore_point_that_never_was_is_one_line_and_leaves_no_container_and_no_volume(
        subject: Subject, points: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    name, two = f"missed-{secrets.token_hex(4)}", list_physical(subject.archive.config.store(), DATABASE)[-2:]
    # Every backup that is listed is tried, from the newest on.
    monkeypatch.setattr("backups.physical.point_in_time.list_physical", lambda *_: two)
    tried = list[str]()
    with pytest.raises(MissedPointError, match="removed again") as caught:
        recover(subject.archive.config, name, restore_point="never", listener=tried.append)
    assert any(f"does not come after backup {two[1].id}" in line for line in tried)
    assert "\n" not in str(caught.value)
    assert "does not hold the point" in str(caught.value)
    assert name not in docker("ps", "--all", "--format", "{{.Names}}") + docker("volume", "ls", "--format", "{{.Name}}")


@pytest.mark.parametrize(("moment", "words"), [(timedelta(hours=1), "is yet to come"),
                                               (-timedelta(days=1), "can be recovered to, which is from")])
def test_a_time_that_no_backup_reaches_is_refused_before_any_change(
        subject: Subject, points: Points, moment: timedelta, words: str) -> None:
    name = f"unreached-{secrets.token_hex(4)}"
    with pytest.raises(RestoreError, match=words) as caught:
        recover(subject.archive.config, name, to=datetime.now(UTC) + moment)
    assert "\n" not in str(caught.value)
    assert name not in docker("ps", "--all", "--format", "{{.Names}}")


def test_a_restore_killed_in_the_middle_says_so_and_begins_again_when_it_is_started(
        subject: Subject, points: Points) -> None:
    name, failed = f"cut-{secrets.token_hex(4)}", list[Exception]()

    def run() -> None:
        try:
            recover(subject.archive.config, name)
        except BackupError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with suppress(subprocess.CalledProcessError):
                # Part of the files are there: not yet all of them.
                if docker("exec", name, "sh", "-c", "ls /var/lib/postgresql/data/base 2>/dev/null").strip():
                    break
            time.sleep(0.02)
        docker("kill", name)
        thread.join(60)
        assert [type(error) for error in failed] == [RestoreError]
        assert "\n" not in str(failed[0])
        docker("start", name)
        port = int(docker("port", name, "5432/tcp").split(":")[-1])
        with wait_for_primary(replace(subject.archive.admin, port=port)) as connection:
            assert connection.execute("SELECT count(*) FROM public.noise").fetchone() == (300_000,)
            rows = set(connection.execute("SELECT writer, n FROM public.written").fetchall())
        assert {(writer, n) for writer, n, _, _ in points.writers.done} == rows
    finally:
        remove_container(name)


def wait_for_primary(address: Address) -> psycopg.Connection[tuple[object, ...]]:
    deadline = time.monotonic() + 240
    while True:
        connection = address.connect(wait_seconds=240)
        if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
            return connection
        connection.close()
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_a_killed_restore_of_the_command_line_overwrites_nothing_when_it_is_run_again(subject: Subject) -> None:
    name = f"again-{secrets.token_hex(4)}"
    words = [*LCDB, "restore", "--container", name, "--config", str(subject.file)]
    try:
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None and subprocess.run(["docker", "container", "inspect", name],
                                                            capture_output=True, check=False).returncode != 0:
                time.sleep(0.05)
            os.kill(process.pid, signal.SIGKILL)
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, "is there already" in done.stderr) == (1, True), done.stderr
    finally:
        remove_container(name)
