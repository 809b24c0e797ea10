"""Recovery point and time of physical backups, and which of them stay: pure rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backups.config import CONTINUOUS, BackupConfig, Due, Retention
from backups.monitoring.forecast import Forecast, longest_gap
from backups.monitoring.objectives import Objectives, nears_target
from backups.physical.catalog import PhysicalEntry, is_label
from backups.physical.retention import plan_expiry

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def entry(id_: str, *, verified: bool = True) -> PhysicalEntry:
    return PhysicalEntry(id_, "lifecompanion", None, NOW if verified else None, None)


def objectives(**more: float) -> Objectives:
    values = {"wal_bytes": 1, "restore_seconds": 60.0, "replay_seconds": 60.0, "target_seconds": 600.0, **more}
    return Objectives(NOW, 3.0, 0, measured=False, **values)  # type: ignore[arg-type]


def forecast(hours: float, rate: float = 3.2e6, target: float = 600.0) -> Forecast:
    return Forecast(hours * 3600, rate, 80e6, 65.0, target)


def test_the_longest_gap_is_that_between_any_two_physical_backups() -> None:
    every_six = Due(kind="incr", cron="0 */6 * * *")
    assert longest_gap([every_six, Due(kind="logical", cron="0 3 * * *")], NOW) == 6 * 3600
    assert longest_gap([Due(kind="full", cron="0 1 * * 0")], NOW) == 7 * 86400
    assert longest_gap([Due(kind="full", cron="0 1 1 * *")], NOW) == 31 * 86400
    assert longest_gap([every_six, Due(kind="full", cron="0 3 * * *")], NOW) == 6 * 3600
    assert longest_gap([Due(kind="incr", cron="0 8-20/2 * * 1-5", timezone="Europe/Paris")], NOW) == 60 * 3600
    assert longest_gap([Due(kind="logical", cron="0 3 * * *")], NOW) is None


def test_the_schedule_where_none_is_given_has_incrementals_where_the_server_archives() -> None:
    values = {"bucket": "backups", "s3": {}, "keys": []}
    assert longest_gap(BackupConfig.from_dict({**values, "physical": {"cipher": "x"}}, "").schedule, NOW) == 4 * 3600
    assert longest_gap(BackupConfig.from_dict(values, "").schedule, NOW) is None
    assert {due.kind for due in CONTINUOUS} == {"full", "diff", "incr", "logical", "drill", "prune"}


def test_a_schedule_that_lets_replay_pass_the_target_is_one_line_with_one_that_does_not() -> None:
    problem = forecast(6).problem
    assert problem == (
        "backupSchedule: a backup every 6 h lets replay take 14 min at 3.2 MB of WAL a second, recovery 15 min; "
        "required at most 10 min (recoveryTimeTarget); schedule an incremental every 3 h")
    assert forecast(3).problem is None
    assert objectives().problem is None
    assert Objectives(NOW, 3.0, 0, 1, 60.0, 60.0, 600.0, False, forecast=forecast(6)).problem == problem


def test_where_no_schedule_would_do_another_way_out_is_named() -> None:
    for hopeless in (forecast(4, rate=80e6), forecast(4, target=60.0)):
        assert "no schedule does" in str(hopeless.problem)


def test_what_an_incremental_cannot_mend_is_not_answered_by_one() -> None:
    assert "take an incremental" in str(objectives(replay_seconds=700.0).problem)
    large = objectives(restore_seconds=700.0)
    assert "keep a standby" in str(large.problem)
    old = [entry("20261125-100000F")]
    assert not nears_target(large, old, NOW)
    assert not nears_target(objectives(replay_seconds=400.0), old, NOW)
    assert nears_target(objectives(replay_seconds=450.0), old, NOW)
    assert not nears_target(objectives(replay_seconds=450.0), old, NOW - timedelta(hours=2))
    assert not nears_target(objectives(replay_seconds=450.0), [], NOW)


FULLS = [f"202611{day:02}-010000F" for day in (1, 8, 15, 22)]
STANDING = [f"{FULLS[1]}_20261109-010000I", f"{FULLS[3]}_20261123-010000D"]


def test_the_newest_full_backups_stay_with_all_that_stands_on_them() -> None:
    entries = [entry(id_) for id_ in sorted([*FULLS, *STANDING], key=lambda id_: id_[-16:])]
    kept = plan_expiry(entries, Retention(weekly=2))
    assert set(kept) == {*FULLS[2:], STANDING[1]}
    assert set(plan_expiry(entries, Retention(weekly=0))) == set(kept)  # never fewer than two
    assert set(plan_expiry(entries, Retention(weekly=4))) == {*FULLS, *STANDING}


def test_a_damaged_full_backup_replaces_no_other_in_retention() -> None:
    fulls = [entry(id_) for id_ in FULLS]
    damaged = [replace(full, verified=None, damaged=NOW) for full in fulls[1:3]]
    kept = plan_expiry([fulls[0], *damaged, fulls[3]], Retention(weekly=2))
    assert set(kept) == {FULLS[0], FULLS[3]}


@pytest.mark.parametrize("proven", [FULLS[0], STANDING[0]])
def test_the_last_verified_backup_stays_with_what_it_needs_and_all_that_is_newer(proven: str) -> None:
    entries = [entry(id_, verified=id_ == proven) for id_ in (
        FULLS[0], FULLS[1], STANDING[0], FULLS[2], FULLS[3], STANDING[1])]
    kept = plan_expiry(entries, Retention(weekly=1))
    assert proven in kept
    assert proven[:16] in kept
    assert set(kept) == {entry.id for entry in entries if entry.full >= proven[:16]}


def test_ids_of_logical_and_physical_backups_differ() -> None:
    assert is_label(FULLS[0])
    assert is_label(STANDING[0][:10])
    assert not is_label("20261125T021407Z-ada99f")
    assert not is_label(None)
