"""What stays, and above all what is never taken away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from backups.config import Retention
from backups.logical.catalog import STAMP, Entry
from backups.logical.manifest import Manifest
from backups.logical.retention import plan_prune

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def entry(days: float, *, verified: bool = True, problem: str | None = None, end: str = "abc") -> Entry:
    taken = NOW - timedelta(days=days)
    manifest = cast(Manifest, SimpleNamespace(started=taken))
    return Entry(f"{taken.strftime(STAMP)}-{end}", "db", "logical", None if problem else manifest,
                 taken if verified else None, None, problem)


def test_seven_days_four_weeks_and_twelve_months_of_daily_backups_stay() -> None:
    entries = [entry(days) for days in range(500)]
    kept = plan_prune(entries, Retention())
    days = sorted((NOW - next(e for e in entries if e.id == id_).taken).days for id_ in kept)
    assert days[:7] == list(range(7))
    assert len(days) == 7 + 2 + 11  # this week and the last are among the days, and so is this month
    assert max(days) >= 329


def test_two_backups_of_one_day_count_once() -> None:
    kept = plan_prune([entry(0.1), entry(0.05), entry(0.02)], Retention())
    assert list(kept) == [entry(0.02).id]


def test_of_two_backups_started_in_one_second_the_later_one_stays() -> None:
    first, second = entry(0.1, end="fff"), entry(0.1 - 1e-6, end="aaa")
    assert first.id[:16] == second.id[:16]
    assert list(plan_prune([first, second], Retention())) == [second.id]


def test_the_last_verified_backup_stays_however_old() -> None:
    entries = [entry(900), *(entry(days, verified=False) for days in range(30))]
    assert plan_prune(entries, Retention(daily=3, weekly=0, monthly=0))[entries[0].id] == "last verified backup"


def test_an_unreadable_backup_is_kept() -> None:
    broken = entry(900, problem="not a manifest")
    assert broken.id in plan_prune([broken, entry(0)], Retention())


def test_an_unreadable_backup_replaces_no_other_in_retention() -> None:
    """As where somebody put garbage there, under names that say the future."""
    good = [entry(days) for days in range(30)]
    garbage = [entry(-days, problem="not a manifest", verified=False) for days in range(1, 400)]
    kept = plan_prune([*good, *garbage], Retention())
    assert {entry.id for entry in good} & kept.keys() == plan_prune(good, Retention()).keys()


def test_of_one_day_the_newest_that_is_proven_stays() -> None:
    good, doubtful, today = entry(3.1), entry(3.05, verified=False), entry(0)
    assert plan_prune([good, doubtful, today], Retention()).keys() == {good.id, today.id}
    assert doubtful.id in plan_prune([doubtful, today], Retention())


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 800), st.booleans()), min_size=1, max_size=40))
def test_the_newest_and_the_last_verified_always_stay(ages: list[tuple[float, bool]]) -> None:
    entries = [entry(days, verified=verified) for days, verified in ages]
    kept = plan_prune(entries, Retention(daily=1, weekly=0, monthly=0))
    newest = max(entries, key=lambda e: e.taken)
    assert newest.id in kept
    proven = [e for e in entries if e.proven]
    if proven:
        assert max(proven, key=lambda e: e.taken).id in kept
