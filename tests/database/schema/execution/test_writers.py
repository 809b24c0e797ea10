"""Nobody who writes is refused, or waits long, while the schema changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from schema import apply
from schema.comparison.compare import Options
from schema.model.objects import Object
from tests.support.running.servers import Database
from tests.support.schemas.online_changes import BEFORE, COMMUNITY, COMPRESSED, FILLED, PLAIN, after
from tests.support.writers import BOTH_TABLES, everybody_writes, reading, writing

LOCK_TIMEOUT_SECONDS = 3.0
OPTIONS = Options(on_unsupported="skip", lock_timeout=f"{LOCK_TIMEOUT_SECONDS:g}s")
# How long somebody reads; and how long a change waits for a lock meanwhile, with writers queueing behind it.
READ_SECONDS, SHORT_SECONDS = 6.0, 0.2
HELD_UP = ("column added", "index added", "index added to a hypertable", "foreign key added to a hypertable")


@pytest.fixture
def filled(database: Database) -> Iterator[Database]:
    """The schema before any change, with rows, some of them in the columnstore."""
    apply.ensure(database.owner, BEFORE, options=OPTIONS)
    database.execute(*FILLED, *([COMPRESSED] if database.server.community else []))
    return database


def changed(database: Database, objects: tuple[Object, ...], options: Options) -> tuple[float, float, float]:
    """Apply under the writers; when it began and ended, and how long its longest step took."""
    begin = time.monotonic()
    marks = [begin]
    steps = apply.ensure(database.owner, objects, options=options,
                         progress=lambda _: marks.append(time.monotonic())).steps
    until = time.monotonic()
    assert steps, "nothing was changed"
    return begin, until, max(later - earlier for earlier, later in zip(marks, [*marks[1:], until], strict=True))


def changes(database: Database) -> list[str]:
    return [*PLAIN, *(COMMUNITY if database.server.community else ())]


@pytest.mark.servers("official", "debian")
def test_no_write_fails_or_waits_longer_than_a_lock_and_a_statement_during_any_online_change(filled: Database) -> None:
    names = changes(filled)
    longest: dict[str, tuple[float, float]] = {}
    with writing(filled.owner) as writers:
        everybody_writes(writers)
        for number, name in enumerate(names):
            begin, until, step = changed(filled, after(*names[:number + 1]), OPTIONS)
            everybody_writes(writers)
            longest[name] = max(writers.seconds(begin, until)), LOCK_TIMEOUT_SECONDS + step
            assert writers.failures == [], name
    assert {name: waited for name, waited in longest.items() if waited[0] > waited[1]} == {}
    assert apply.plan(filled.owner, after(*names), options=OPTIONS).render() == []


@pytest.mark.servers("official")
@pytest.mark.parametrize("name", HELD_UP)
def test_writers_do_not_queue_behind_a_change_that_waits_for_a_long_reader(filled: Database, name: str) -> None:
    options = replace(OPTIONS, lock_timeout=f"{SHORT_SECONDS:g}s", attempts=100)
    with writing(filled.owner) as writers:
        everybody_writes(writers)
        with reading(filled.owner, READ_SECONDS):
            begin, until, _ = changed(filled, after(name), options)
        everybody_writes(writers)
    assert writers.failures == []
    # Had the change queued for as long as it was read, so had everybody behind it.
    assert max(writers.seconds(begin, until)) < READ_SECONDS / 2
    assert apply.plan(filled.owner, after(name), options=OPTIONS).render() == []


@pytest.mark.servers("official")
def test_no_writer_of_two_tables_is_ended_by_a_deadlock_while_one_comes_to_refer_to_the_other(filled: Database) -> None:
    referring = after("foreign key added to a hypertable")
    options = replace(OPTIONS, attempts=100, allow=frozenset({"drops_constraint"}))
    with writing(filled.owner, BOTH_TABLES * 3) as writers:
        everybody_writes(writers, BOTH_TABLES)
        for objects in (referring, BEFORE, referring, BEFORE, referring):
            changed(filled, objects, options)
            everybody_writes(writers, BOTH_TABLES)
    assert writers.failures == []
