"""The drill of a physical backup: recovered to a point, equal to the source there, whoever writes meanwhile."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from backups.drill.leftovers import LABEL, Owner, remove_leftovers
from backups.drill.logical_drill import read_drills, run_drill
from backups.drill.physical_drill import POINTS, drill_physical, find_point
from backups.errors import BackupError, DamagedError
from backups.logical.backup import run_logical
from backups.logical.catalog import find_backup
from backups.monitoring.objectives import read_rates
from backups.physical.backup import take_physical
from backups.physical.catalog import find_physical
from backups.physical.restore_points import Point, _hold_off, compare_point, read_lasting, take_point
from cli.registry import gather
from schema.apply import ensure
from schema.comparison.compare import Options
from schema.lifecompanion import declared
from tests.support.backed_up import DEVICES, NASTY, READINGS
from tests.support.running.archived import DATABASE, Archived, archived_at
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import docker

pytestmark = pytest.mark.needs("official", "s3")


def of_drills() -> set[str]:
    """The containers and volumes of drills that are there."""
    return {name for kind, more in (("container", ["--all"]), ("volume", []))
            for name in docker(kind, "ls", *more, "--quiet", "--filter", "name=lcdb-drill-").split()}


def of_process(pid: int, kind: str) -> set[str]:
    """Those that a drill of this process made."""
    more = ["--all"] if kind == "container" else []
    name = "{{.Names}}" if kind == "container" else "{{.Name}}"
    lines = docker(kind, "ls", *more, "--filter", f"label={LABEL}", "--format", f'{name} {{{{.Label "{LABEL}"}}}}')
    return {line.split()[0] for line in lines.splitlines() if f"|{pid}|" in line}


@pytest.fixture(scope="module")
def archive(s3: S3Server) -> Iterator[Archived]:
    """The declared schema with readings, two of its chunks compressed, and one full backup."""
    with archived_at(s3) as archived:
        ensure(archived.admin, declared(), options=Options(on_unsupported="skip"))
        archived.execute(NASTY, DEVICES, READINGS.format(first=1, last=20000, of=20000),
                         "SELECT compress_chunk(c) FROM (SELECT show_chunks('environmental_readings') c LIMIT 2) x")
        take_physical(archived.config, "full", verified=False)
        before = of_drills()
        yield archived
        assert of_drills() <= before


@contextmanager
def writers(archive: Archived, *pauses: float) -> Iterator[None]:
    """Some that write all the time, without word three, one of them in transactions that are open for a while."""
    stop = threading.Event()

    def write(pause: float) -> None:
        with archive.admin.connect() as connection:
            while not stop.is_set():
                with connection.transaction():
                    connection.execute("INSERT INTO notifications (user_id, title, type) VALUES (1, 'x', 'y')")
                    connection.execute("UPDATE devices SET is_active = NOT is_active"
                                       " WHERE id = 1 + floor(50 * random())")
                    time.sleep(pause)

    threads = [threading.Thread(target=write, args=[pause]) for pause in pauses or (0.002, 0.005, 0.4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_drill_proves_backup_and_wal_to_the_transaction_though_the_source_is_gone(archive: Archived) -> None:
    store, entry = archive.config.store(), find_physical(archive.config.store(), DATABASE)
    with writers(archive):
        time.sleep(0.5)
        point = find_point(archive.config, entry)
    # Its counts lie sealed in the bucket: the rest needs bucket and key alone.
    done = drill_physical(archive.config.model_copy(update={"admin": None, "database": None}), entry)
    assert done.problems == []
    assert done.point
    assert point.name in done.point
    assert done.rows == point.rows > 20000  # those inside compressed batches too
    assert done.tables_compared > 15
    assert set(done.jobs.values()) == {"ok"}
    assert done.replayed_bytes > 0
    assert {"source", "restore", "replay", "compare"} <= done.seconds.keys()
    assert find_physical(store, DATABASE).drilled
    assert read_rates(store, DATABASE) == {}  # so small a drill says nothing of the rate


def test_rows_that_are_missing_changed_or_past_the_point_are_reported(archive: Archived) -> None:
    point = take_point(archive.admin)
    following = int(point.snapshot.split(":")[1])
    counts = {**point.counts, "public.gone": point.counts["public.users"]}
    counts["public.devices"] = counts["public.devices"].model_copy(update={"rows": 51})
    counts["public.users"] = counts["public.users"].model_copy(update={"checksum": "1"})
    del counts["public.notifications"]
    with archive.admin.connect() as connection:
        assert compare_point(point, connection, following) == []
        assert sorted(compare_point(point.model_copy(update={"counts": counts}), connection, following)) == [
            "public.devices: found 50 rows, required 51", "public.gone: not there, required 20 rows",
            "public.notifications: there, but not in the source",
            "public.users: 20 rows as required, but their content differs"]
        number = archive.execute("INSERT INTO notifications (user_id, title, type) VALUES (1, 'x', 'y')"
                                 " RETURNING pg_current_xact_id()::text::bigint")[0][0]
        assert isinstance(number, int)
        # Whatever the server itself committed meanwhile.
        ours = point.model_copy(update={"snapshot": f"{number}:{number}:"})
        (difference,) = compare_point(ours, connection, number + 1)
        assert f"transactions {number} were not committed there" in difference
        with archive.admin.connect(autocommit=False) as open_:
            running = open_.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
            assert running
            later = take_point(archive.admin)
        (difference,) = compare_point(later, connection, running[0] + 1)
        assert f"transactions {running[0]} were not committed there" in difference  # open at the point, and no more


def test_counts_that_were_changed_are_refused_and_so_are_those_from_before_the_backup(archive: Archived) -> None:
    store, entry = archive.config.store(), find_physical(archive.config.store(), DATABASE)
    wanted = find_point(archive.config, entry)
    nobody = archive.config.model_copy(update={"admin": None, "database": None})
    assert find_point(nobody, entry) == wanted
    key = f"{entry.folder}/{POINTS}{wanted.name}.json"
    body = store.get(key) or b""
    store.put(key, body.replace(b'"rows": 50', b'"rows": 49'))
    with pytest.raises(DamagedError, match="seal"):
        find_point(nobody, entry)
    store.put(key, body)
    later = take_physical(archive.config, "incr", verified=False)
    with pytest.raises(BackupError, match="nothing to compare with"):
        find_point(nobody, later)


def test_a_restore_point_is_set_between_commits_or_with_writers_blocked_briefly(
        archive: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    with writers(archive):
        points = [take_point(archive.admin)]
    with writers(archive, 0.002, 0.005):  # one that is open for longer would have to end first
        monkeypatch.setattr("backups.physical.restore_points.ATTEMPTS", 0)
        points += [take_point(archive.admin) for _ in range(2)]
    rows = [point.counts["public.notifications"].rows for point in points]
    assert rows == sorted(set(rows))
    with pytest.raises(DamagedError):
        Point.from_json(points[0].with_seal("one cipher").model_dump_json().encode(), "another cipher", "here")


INSERT, UPDATE = (b"INSERT INTO notifications (user_id, title, type) VALUES (1, 'x', 'y')",
                  b"UPDATE devices SET is_active = NOT is_active")


def await_waiting(archive: Archived, mode: str) -> None:
    """Until a session waits for a lock of this mode."""
    deadline = time.monotonic() + 30
    while archive.execute(f"SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = '{mode}')") != [(True,)]:
        assert time.monotonic() < deadline


def test_a_busy_table_is_locked_first_while_its_writer_can_use_the_others(
        archive: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    with archive.admin.connect() as watch, archive.admin.connect(autocommit=False) as writer:
        tables, first = read_lasting(watch), list[str]()
        writer.execute(INSERT)
        monkeypatch.setattr("backups.physical.restore_points.HOLD_SECONDS", 0.2)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            _hold_off(watch, tables, first)
        assert first == ["public.notifications"]
        watch.execute("ROLLBACK")
        monkeypatch.setattr("backups.physical.restore_points.HOLD_SECONDS", 60)
        watch.execute("SET deadlock_timeout = '100s'")  # which it stays below
        with ThreadPoolExecutor(1) as pool:
            held = pool.submit(_hold_off, watch, tables, first)
            await_waiting(archive, "ShareLock")
            writer.execute(UPDATE)  # nobody has locked that yet
            writer.commit()
            held.result(60)
        assert archive.execute("SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ShareLock' AND pid = "
                               f"{watch.info.backend_pid}") == [(len(tables),)]
        watch.execute("ROLLBACK")


def test_in_a_deadlock_with_the_restore_point_the_writer_continues(
        archive: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backups.physical.restore_points.HOLD_SECONDS", 60)
    with archive.admin.connect() as watch, archive.admin.connect(autocommit=False) as writer, \
            archive.admin.connect(autocommit=False) as other, ThreadPoolExecutor(2) as pool:
        order = ["public.devices", "public.users", "public.notifications"]
        watch.execute("SET deadlock_timeout = '100s'")  # which it stays below
        writer.execute("SET LOCAL deadlock_timeout = '100s'")
        writer.execute(INSERT)
        other.execute("LOCK TABLE users IN ROW EXCLUSIVE MODE")
        held = pool.submit(_hold_off, watch, read_lasting(watch), order)
        await_waiting(archive, "ShareLock")
        written = pool.submit(writer.execute, UPDATE)
        await_waiting(archive, "RowExclusiveLock")
        other.rollback()
        with pytest.raises(psycopg.errors.LockNotAvailable):
            held.result(60)
        assert order[0] == "public.notifications"
        watch.execute("ROLLBACK")
        written.result(60)
        writer.commit()


def test_a_logical_backup_of_a_server_that_archives_is_drilled_in_its_own_image(archive: Archived) -> None:
    config = archive.config
    manifest = run_logical(config.store(), config.keyring(), archive.admin, image=config.image)
    done = run_drill(config.store(), config.keyring(), find_backup(config.store(), DATABASE, manifest.id))
    assert done.problems == []


@pytest.mark.parametrize("kind", ["physical", "logical"])
def test_what_a_killed_drill_left_is_removed_and_nothing_of_one_that_goes_on(archive: Archived, tmp_path: Path,
                                                                             kind: str) -> None:
    config = archive.config
    id_ = take_physical(config, "incr", verified=False).id if kind == "physical" else \
        run_logical(config.store(), config.keyring(), archive.admin, image=config.image).id
    words = [sys.executable, "-c", "from cli import main; main()", "backup", "drill", id_, "--config",
             str(archive.write_settings(tmp_path / "backup.json"))]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 240
        while not of_process(process.pid, "container"):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        remove_leftovers()
        assert of_process(process.pid, "container")
        process.kill()
    assert of_process(process.pid, "container")
    assert bool(of_process(process.pid, "volume")) == (kind == "physical")
    # A command that it had begun may still make one.
    while of_process(process.pid, "container") | of_process(process.pid, "volume"):
        remove_leftovers()
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_of_a_process_elsewhere_it_is_not_known_that_it_has_ended() -> None:
    here = Owner.current()
    assert Owner.from_label(here.label().partition("=")[2]) == here
    assert not here.has_ended(running=True)
    assert not here.has_ended(running=False)
    assert replace(here, started="1").has_ended(running=True)  # its number was given to another since
    assert replace(here, pid=1 << 22).has_ended(running=True)
    for elsewhere in (replace(here, machine="another"), replace(here, namespace="1")):
        assert not replace(elsewhere, pid=1 << 22).has_ended(running=False)
    before = replace(here, boot="another")
    assert (before.has_ended(running=True), before.has_ended(running=False)) == (False, True)
    assert Owner.from_label("somebody else's") is None


def test_the_command_tells_of_a_damaged_backup_and_the_page_shows_both_kinds(archive: Archived, tmp_path: Path) -> None:
    store, entry = archive.config.store(), take_physical(archive.config, "full", verified=False)
    file, page = archive.write_settings(tmp_path / "backup.json"), tmp_path / "drills.html"
    key = archive.config.keys[0].get_secret_value()
    bundle = next(key for key, _ in store.objects(f"{DATABASE}/physical/backup/main/{entry.id}/bundle/"))
    store.put(bundle, (store.get(bundle) or b"")[::-1])
    done = CliRunner().invoke(gather(), ["backup", "drill", "--json", "--page", str(page), "--config", str(file)])
    assert done.exit_code == 1, done.output
    facts = json.loads(done.stdout)
    assert (facts["backup"], facts["passed"], len(facts["problems"])) == (entry.id, False, 1)
    assert f"drill of {entry.id}" not in facts["problems"][0]
    drills = read_drills(store, DATABASE)
    assert {drill["kind"] for drill in drills} == {"logical", "full"}
    assert all(drill["signed_off_by"] for drill in drills)
    assert all(word in page.read_text() for word in (">logical</tspan>", ">physical</tspan>", "not proven"))
    assert find_physical(store, DATABASE).drilled is None
    stands = CliRunner().invoke(gather(), ["backup", "status", "--config", str(file)])
    assert (stands.exit_code, "the newest drill of a physical backup" in stands.output) == (1, True), stands.output
    for secret in (key, (archive.config.physical or {})["cipher"], archive.admin.password,
                   str(archive.config.s3["secret_key"])):
        assert secret not in done.output + page.read_text()
