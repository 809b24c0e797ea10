"""Physical backups in the catalogue: listed from the bucket alone, read back, pruned, and how they stand."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backups.config import Due, Retention
from backups.drill.physical_drill import drill_physical, find_point
from backups.errors import DamagedError, RestoreError, WrongKeyError
from backups.logical.manifest import NAME
from backups.monitoring import objectives
from backups.monitoring.objectives import read_archive, read_objectives
from backups.monitoring.status import physical_status, render_metrics
from backups.monitoring.verified_backup import is_backed_up
from backups.physical.backup import take_physical, verify_physical
from backups.physical.catalog import CATALOGUE, SETS, PhysicalEntry, find_physical, list_physical
from backups.physical.point_in_time import remove_container
from backups.physical.retention import prune_physical
from backups.physical.settings import read_cipher, rewrap_cipher
from backups.schedule import keep_target, run_due, serve_schedule
from backups.storage.encryption import Keyring, new_key
from backups.storage.object_store import Store
from cli.commands.backup.screen import physical_facts
from cli.console import console
from cli.registry import gather
from infra.local.recovery_image import ensure_recovery_image
from tests.support.running.archived import DATABASE, Archived, archived_at, set_timeout
from tests.support.running.s3_servers import S3Server
from tests.support.running.servers import docker

pytestmark = pytest.mark.needs("official", "s3")


@pytest.fixture(scope="module")
def archive(s3: S3Server) -> Iterator[Archived]:
    with archived_at(s3) as archived:
        archived.execute("CREATE TABLE public.numbers AS SELECT generate_series(1, 200000) AS n")
        take_physical(archived.config, "full")
        yield archived


@pytest.fixture
def emptied(archive: Archived) -> Archived:
    """Nothing of it is in the bucket any more: neither backups nor WAL, nor what pgBackRest knew of the server."""
    store = archive.config.store()
    store.delete([key for key, _ in store.objects(f"{DATABASE}/physical")])
    return archive


def test_missed_runs_are_replaced_by_one_backup(emptied: Archived) -> None:
    lines, archive = list[str](), emptied
    config = archive.config.model_copy(update={"schedule": tuple(
        Due(kind=kind, cron="0 0 1 1 *") for kind in ("incr", "full", "diff"))})
    assert run_due(config, lines.append) == []
    assert [entry.kind for entry in list_physical(config.store(), DATABASE)] == ["full"]  # nothing to stand on
    assert [line.split(":")[0] for line in lines] == ["incr", "incr"]
    assert run_due(config, lines.append) == []
    assert len(list_physical(config.store(), DATABASE)) == 1


def test_the_schedule_asks_the_bucket_when_a_moment_has_come_and_finds_what_was_taken_by_hand(
        archive: Archived, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, lines = list[datetime](), list[str]()
    before = list_physical(archive.config.store(), DATABASE)
    midnight = before[-1].taken.replace(hour=0, minute=0, second=0, microsecond=0)
    # Ticks of an hour: from the evening before the backup that was taken by hand, on to the second midnight after.
    moments = [midnight + timedelta(hours=hour) for hour in range(-4, 27)]
    clock = iter([moments[0], *moments])

    def list_asked(store: Store, database: str) -> list[PhysicalEntry]:
        entries = list_physical(store, database)
        asked.append(now)
        return entries

    def tick() -> datetime:
        nonlocal now
        now = next(clock)
        return now

    now, ticks = moments[0], iter(moments)
    monkeypatch.setattr("backups.schedule.list_physical", list_asked)
    monkeypatch.setattr("backups.schedule.keep_target", lambda *_: None)
    config = archive.config.model_copy(update={"schedule": (Due(kind="incr", cron="0 0 * * *"),)})
    serve_schedule(config, lines.append, tick_seconds=0.0, clock=tick, until=lambda: next(ticks, None) is None)
    assert asked == [moments[0], *(midnight + timedelta(hours=hour) for hour in (0, 24))]
    # Of the three only the last one found that the newest was from before.
    assert [line.split(":")[0] for line in lines[1:]] == ["incr", "incr"]
    assert len(list_physical(archive.config.store(), DATABASE)) == len(before) + 1


def test_a_backup_is_listed_from_the_bucket_alone_with_its_server_and_what_it_stands_on(emptied: Archived) -> None:
    archive, full = emptied, take_physical(emptied.config, "full")
    archive.execute("UPDATE public.numbers SET n = n + 1 WHERE n < 1000")
    incremental = take_physical(archive.config, "incr")
    nobody = archive.config.model_copy(update={"admin": None, "database": None, "physical": None})
    entries = list_physical(nobody.store(), DATABASE)
    assert entries == [full, incremental]
    assert [entry.kind for entry in entries] == ["full", "incr"]
    assert (full.needs, incremental.needs) == ((), (full.id,))
    assert all(entry.verified for entry in entries)
    assert incremental.manifest
    assert incremental.manifest.server.edition == "timescale"
    assert incremental.manifest.server.image == archive.config.image
    assert full.stored_bytes > incremental.stored_bytes > 0


def test_a_backup_that_was_cut_off_is_not_listed(archive: Archived) -> None:
    store, before = archive.config.store(), list_physical(archive.config.store(), DATABASE)
    store.put(f"{DATABASE}/{SETS}20991231-000000F/backup.manifest.copy", b"only a copy so far")
    try:
        assert list_physical(store, DATABASE) == before
    finally:
        store.delete([f"{DATABASE}/{SETS}20991231-000000F/backup.manifest.copy"])


def test_status_says_recovery_point_and_recovery_time_and_fails_above_the_target(archive: Archived) -> None:
    entries = list_physical(archive.config.store(), DATABASE)
    objectives = read_objectives(archive.config, entries)
    assert objectives.problem is None
    assert objectives.archived
    assert objectives.behind_seconds is not None
    assert objectives.wal_bytes > 0
    archive.execute("SELECT pg_switch_wal()", "CREATE TABLE public.more AS SELECT generate_series(1, 400000) AS n")
    take_physical(archive.config, "incr", verified=False)
    hasty = archive.config.model_copy(update={"recovery_time_target": 0.01})
    late = read_objectives(hasty, entries)
    assert late.wal_bytes > objectives.wal_bytes
    status = physical_status(DATABASE, timedelta(hours=26), entries, late)
    assert status.problem
    assert "expected recovery time" in status.problem
    metrics = render_metrics([status])
    assert f'lcdb_backup_ok{{database="{DATABASE}",kind="physical"}} 0.000' in metrics
    assert "lcdb_backup_expected_recovery_seconds" in metrics
    assert physical_status(DATABASE, timedelta(hours=26), entries, objectives).problem is None


def test_a_verified_physical_backup_lets_rows_be_lost_on_purpose(archive: Archived) -> None:
    values = {**archive.config.model_dump(mode="json"), "keys": [archive.config.keys[0].get_secret_value()]}
    assert is_backed_up(values)
    assert not is_backed_up({**values, "max_age_hours": 0.0001})
    assert not is_backed_up({**values, "name": "another"})


def test_the_repository_s_cipher_is_closed_with_a_new_key_too_and_then_needs_no_other(archive: Archived) -> None:
    store, new, old = archive.config.store(), new_key(), archive.config.keys[0].get_secret_value()
    cipher = (archive.config.physical or {})["cipher"]
    with pytest.raises(WrongKeyError):
        read_cipher(store, Keyring([new]), DATABASE)
    assert rewrap_cipher(store, Keyring([new, old]), DATABASE)
    assert not rewrap_cipher(store, Keyring([new, old]), DATABASE)
    assert read_cipher(store, Keyring([new]), DATABASE) == read_cipher(store, Keyring([old]), DATABASE) == cipher
    assert not rewrap_cipher(store, Keyring([new]), "another")


def test_the_rate_of_wal_is_that_of_the_archive_s_last_day(archive: Archived) -> None:
    store, now = archive.config.store(), datetime.now(UTC)
    assert read_archive(store, DATABASE, None, now).rate is None  # minutes say nothing of a day
    later = read_archive(store, DATABASE, "0" * 24, now + timedelta(hours=2))
    assert later.rate is not None
    assert later.wal_bytes / 7800 < later.rate <= later.wal_bytes / 7200
    assert read_archive(store, DATABASE, None, now + timedelta(days=3)).rate is None


def test_an_incremental_is_taken_out_of_turn_before_the_target_is_passed(archive: Archived,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    store, lines = archive.config.store(), list[str]()
    before = list_physical(store, DATABASE)
    keep_target(archive.config, lines.append)
    assert (lines, list_physical(store, DATABASE)) == ([], before)
    monkeypatch.setattr(objectives, "LEAST_AGE_SECONDS", 0)
    monkeypatch.setattr(objectives, "COUNTS", 0.0)
    keep_target(archive.config.model_copy(update={"recovery_time_target": 0.01}), lines.append)
    after = list_physical(store, DATABASE)
    assert (after[:-1], after[-1].kind) == (before, "incr")
    assert after[-1].verified
    assert "out of turn" in lines[0]


def test_status_tells_how_long_a_segment_is_open_on_this_server_and_that_it_is_open_for_ever(archive: Archived) -> None:
    entries = list_physical(archive.config.store(), DATABASE)
    try:
        for value, words in (("60s", "at most 60 s"), ("7min", "at most 420 s"), ("0", "without limit")):
            set_timeout(archive.admin, value)
            objectives = read_objectives(archive.config, entries)
            assert words in objectives.describe()
            assert objectives.facts()["archive_timeout_seconds"] == objectives.timeout_seconds
            assert (objectives.problem is None) == (value != "0")
        assert "archive_timeout found 0" in str(objectives.problem)
    finally:
        set_timeout(archive.admin, "60s")


def test_wal_that_cannot_be_archived_is_a_problem_and_never_silence(archive: Archived) -> None:
    docker("exec", archive.container, "mv", "/etc/pgbackrest/pgbackrest.conf", "/etc/pgbackrest/away")
    try:
        archive.execute("CREATE TABLE public.unseen AS SELECT 1 AS n", "SELECT pg_switch_wal()", "SELECT pg_sleep(1)")
        entries = list_physical(archive.config.store(), DATABASE)
        objectives = read_objectives(archive.config, entries)
        assert objectives.waiting_segments >= 1
        assert objectives.problem is None  # it may take as long as a segment takes to be closed
        set_timeout(archive.admin, "1s")
        time.sleep(1)
        problem = read_objectives(archive.config, entries).problem
        assert problem
        assert "its archive command fails" in problem
    finally:
        set_timeout(archive.admin, "60s")
        docker("exec", archive.container, "mv", "/etc/pgbackrest/away", "/etc/pgbackrest/pgbackrest.conf")


def test_commands_know_both_kinds_and_keep_secrets_to_themselves(
        archive: Archived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 200)  # whatever the terminal is, or was said to be
    file = archive.write_settings(tmp_path / "backup.json")
    key = archive.config.keys[0].get_secret_value()

    def lcdb(*words: str, status: int = 0) -> Any:
        done = CliRunner().invoke(gather(), ["backup", *words, "--config", str(file)])
        assert done.exit_code == status, done.output
        for secret in (key, str(archive.config.s3["secret_key"]), archive.admin.password,
                       (archive.config.physical or {})["cipher"]):
            assert secret not in done.output
        return json.loads(done.stdout) if "--json" in words else done.stdout

    logical = lcdb("run", "--kind", "logical", "--json")["id"]
    physical = lcdb("run", "--json")
    assert (physical["kind"], bool(physical["verified"])) == ("incr", True)
    listed = lcdb("list", "--json")
    assert [backup["id"] for backup in listed][-2:] == [logical, physical["id"]]
    assert all(backup in lcdb("list") for backup in (logical, physical["id"], "recovers to any time from"))
    assert lcdb("show", "--json")["needs"] == physical["needs"]  # the newest of both
    assert lcdb("show", logical, "--json")["kind"] == "logical"
    assert lcdb("verify", physical["id"], "--json") == {"id": physical["id"], "verified": True}
    kinds = lcdb("status", "--json")["kinds"]
    assert (kinds["physical"]["newest"], kinds["logical"]["newest"]) == (physical["id"], logical)
    assert kinds["physical"]["objectives"]["expected_recovery_seconds"] > 0
    metrics = lcdb("status", "--prometheus")
    for kind in ("physical", "logical"):
        assert f'lcdb_backup_ok{{database="{DATABASE}",kind="{kind}"}} 1.000' in metrics
    kept = lcdb("prune", "--dry-run", "--json")
    assert kept["deleted"] == []
    assert {logical, physical["id"]} <= kept["kept"].keys()


def test_a_host_s_backup_is_recovered_in_an_image_of_its_server_s_versions_that_nobody_named(
        archive: Archived, tmp_path: Path) -> None:
    # As a host has it: which image its server would run in is not known.
    host = archive.config.model_copy(update={"image": None, "physical": {"cipher": (
        archive.config.physical or {})["cipher"]}})
    taken = take_physical(host, "full", verified=False)
    assert taken.manifest
    server = taken.manifest.server
    assert server.image is None
    file, name = replace(archive, config=host).write_settings(tmp_path / "backup.json"), f"host-{secrets.token_hex(4)}"
    try:
        done = CliRunner().invoke(gather(), ["backup", "restore", taken.id, "--container", name, "--config", str(file)],
                                  env={"COLUMNS": "200"})
        assert done.exit_code == 0, (done.output, done.exception)
        assert docker("inspect", "--format", "{{.Config.Image}}", name).strip() == archive.config.image
        assert f"image {archive.config.image}, for {server.describe()}" in " ".join(done.output.split())
    finally:
        remove_container(name)
    # Whoever may put objects there is not to choose what is started here.
    store, key = host.store(), f"{taken.folder}/{NAME}"
    written = store.get(key) or b""
    store.put(key, json.dumps({**json.loads(written), "server": {**json.loads(written)["server"], "image": "evil:1"}}
                              ).encode())
    try:
        done = CliRunner().invoke(gather(), ["backup", "restore", taken.id, "--container", name, "--config", str(file)])
        assert "its seal is not that of the repository's cipher" in str(done.exception)
        with pytest.raises(DamagedError, match="its seal is not that"):
            drill_physical(host, find_physical(store, DATABASE, taken.id))
    finally:
        store.put(key, written)
    for change, words in (({"edition": "apache", "timescaledb": "2.0.0"}, ":2.0.0-pg17-oss is not here"),
                          ({"timescaledb": None}, "give --image")):
        with pytest.raises(RestoreError, match=words) as caught:
            ensure_recovery_image(server.model_copy(update=change))
        assert "\n" not in str(caught.value)


def test_the_oldest_go_with_all_that_stands_on_them_and_the_last_verified_stays(emptied: Archived) -> None:
    archive, store, first = emptied, emptied.config.store(), take_physical(emptied.config, "full")
    newer = [take_physical(archive.config, "full", verified=False) for _ in range(2)]
    config = archive.config.model_copy(update={"retention": Retention(weekly=0)})
    # Only backups of the first family are proven: none may go, however many full ones are newer.
    assert prune_physical(config).deleted == []
    verify_physical(config, newer[-1])
    would = prune_physical(config, dry_run=True)
    assert first.id in would.deleted
    assert first in [entry for entry in list_physical(store, DATABASE) if entry.id == first.id]
    done = prune_physical(config)
    assert done.deleted == would.deleted
    assert [entry.id for entry in list_physical(store, DATABASE)] == [entry.id for entry in newer]
    assert store.folders(f"{DATABASE}/{CATALOGUE}/") == [entry.id for entry in newer]
    verify_physical(config, newer[0])


def test_verify_names_a_backup_that_is_damaged_and_every_one_that_stands_on_it(archive: Archived) -> None:
    store, full = archive.config.store(), take_physical(archive.config, "full", verified=False)
    incremental = take_physical(archive.config, "incr")
    assert (bool(incremental.verified), incremental.needs) == (True, (full.id,))
    key = next(key for key, _ in store.objects(f"{DATABASE}/{SETS}{full.id}/bundle/"))
    body = store.get(key)
    assert body
    store.put(key, body[:len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1:])
    for entry in (full, incremental):
        with pytest.raises(DamagedError, match=full.id):
            verify_physical(archive.config, entry)
    damaged = {entry.id for entry in list_physical(store, DATABASE) if entry.damaged and not entry.proven}
    assert damaged == {full.id, incremental.id}
    assert all(physical_facts(entry)["problem"] for entry in (find_physical(store, DATABASE, id_) for id_ in damaged))
    healed = take_physical(archive.config, "incr")  # what it would have stood on is worth nothing
    assert (healed.kind, bool(healed.verified)) == ("full", True)
    standing = [entry for entry in list_physical(store, DATABASE) if entry.full == full.id]
    assert len(standing) == 3  # it had begun before that was known
    assert all(entry.damaged and not entry.proven for entry in standing)
    assert take_physical(archive.config, "incr").needs == (healed.id,)


def test_an_administrator_whose_own_database_is_another_backs_up_and_counts_the_one_that_is_meant(
        archive: Archived) -> None:
    assert archive.config.admin
    config = archive.config.model_copy(update={"admin": {**archive.config.admin, "database": "postgres"}})
    entry = take_physical(config, "incr", verified=False)
    assert entry.manifest
    assert entry.manifest.server.database == DATABASE
    assert entry.manifest.server.timescaledb
    assert find_point(config, entry).counts["public.numbers"].rows == 200_000
    assert config.administrator() == archive.admin
