"""Changing a schema that is in use: one changer at a time, short locks, retries, and no harm from a crash."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from schema import apply
from schema.catalog import queries
from schema.errors import ApplyError, UnsafeChangeError, UnsupportedError
from schema.lifecompanion import tables as declared
from schema.model.objects import Check, Index, Key, Table
from schema.session import LOCK
from tests.support.running.servers import Database

SKIP = apply.Options(on_unsupported="skip")
_, _, READINGS, ACTIVITIES, NOTIFICATIONS = declared()
ROWS = ("INSERT INTO users (name, email, password) VALUES ('Ada', 'ada@example.org', 'x')",
        "INSERT INTO devices (user_id, type, mac_address, mqtt_topic) VALUES (1, 'phone', 'AA:BB:CC:DD:EE:FF', 'a')",
        "INSERT INTO environmental_readings (device_id, measured_at, temperature, humidity) "
        "SELECT 1, now() - n * interval '2 hours', 20, 50 FROM generate_series(1, 500) n",
        "INSERT INTO notifications (user_id, title, type, message, sent_at) "
        "SELECT 1, 'High', 'temperature', 'm', now() - n * interval '1 hour' FROM generate_series(1, 500) n")


@pytest.fixture
def filled(declared_database: Database) -> Database:
    """The whole schema with some rows in it."""
    declared_database.execute(*ROWS)
    return declared_database


@contextmanager
def held(database: Database, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction of somebody else that has run these statements and stays open."""
    with database.owner.connect(autocommit=False, application_name="somebody else") as connection:
        for statement in statements:
            connection.execute(statement.encode())
        yield connection


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_a_second_changer_is_refused_and_the_holder_named(database: Database) -> None:
    with held(database, f"SELECT pg_advisory_lock({LOCK})"), \
            pytest.raises(ApplyError, match=r"process \d+ \(test_owner, somebody else"):
        apply.ensure(database.owner, declared(), options=replace(SKIP, wait_seconds=0.5))


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_changers_of_several_tables_at_once_wait_for_one_another(database: Database) -> None:
    apply.ensure(database.owner, declared()[:2], options=SKIP)
    failures: list[Exception] = []

    def change(table: Table) -> None:
        try:
            apply.ensure(database.owner, [table], options=SKIP)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=change, args=[table]) for table in declared()[2:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert apply.plan(database.owner, declared(), options=SKIP).steps == ()


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_a_lock_that_stays_ends_in_one_clear_line(filled: Database) -> None:
    wider = replace(NOTIFICATIONS, comment="Another comment")
    options = replace(SKIP, lock_timeout="100ms", attempts=2)
    with held(filled, "LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE"), \
            pytest.raises(ApplyError, match="a lock was still held after 2 attempts"):
        apply.ensure(filled.owner, [wider], options=options)
    assert apply.ensure(filled.owner, [wider], options=options).steps


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_a_lock_that_passes_is_waited_for(filled: Database) -> None:
    wider = replace(NOTIFICATIONS, comment="Another comment")
    options = replace(SKIP, lock_timeout="100ms", attempts=30)
    with held(filled, "LOCK TABLE notifications IN ACCESS EXCLUSIVE MODE") as other:
        release = threading.Timer(2.0, other.rollback)
        release.start()
        assert len(apply.ensure(filled.owner, [wider], options=options).steps) == 1
        release.join()


@pytest.mark.repeats("debian")
def test_a_check_on_a_table_with_rows_is_proven_without_blocking_writers(filled: Database) -> None:
    more = replace(NOTIFICATIONS, checks=(*NOTIFICATIONS.checks, Check("title_short", "length(title) < 200")))
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert [step.sql for step in steps] == [
        "ALTER TABLE notifications ADD CONSTRAINT title_short CHECK (length(title) < 200) NOT VALID",
        "ALTER TABLE notifications VALIDATE CONSTRAINT title_short"]
    assert not any(step.hazards for step in steps)


@pytest.mark.repeats("debian")
def test_a_check_that_rows_break_fails_by_name_and_the_next_run_goes_on(filled: Database) -> None:
    more = replace(NOTIFICATIONS, checks=(*NOTIFICATIONS.checks, Check("title_long", "length(title) > 4")))
    with pytest.raises(ApplyError, match="title_long"):
        apply.ensure(filled.owner, [more], options=SKIP)
    filled.execute("UPDATE notifications SET title = 'Very high'")
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert [step.sql for step in steps] == ["ALTER TABLE notifications VALIDATE CONSTRAINT title_long"]


@pytest.mark.repeats("debian")
def test_not_null_on_a_table_with_rows_goes_by_a_validated_check(filled: Database) -> None:
    columns = tuple(replace(column, null=False) if column.name == "message" else column
                    for column in NOTIFICATIONS.columns)
    steps = apply.ensure(filled.owner, [replace(NOTIFICATIONS, columns=columns)], options=SKIP).steps
    marks = ("NOT VALID", "VALIDATE CONSTRAINT", "SET NOT NULL")
    assert [mark for step in steps for mark in marks if mark in step.sql] == list(marks)
    assert not any(step.hazards for step in steps)
    assert filled.execute("SELECT 1 FROM pg_constraint WHERE conname LIKE '%is_not_null'") == []


@pytest.mark.repeats("debian")
def test_not_null_without_a_default_is_refused_where_there_are_rows(filled: Database) -> None:
    column = replace(NOTIFICATIONS.columns[3], name="channel", null=False)
    with pytest.raises(UnsafeChangeError, match=r"notifications\.channel: NOT NULL without a default"):
        apply.plan(filled.owner, [replace(NOTIFICATIONS, columns=(*NOTIFICATIONS.columns, column))], options=SKIP)


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_an_index_on_a_plain_table_with_rows_is_built_concurrently(filled: Database) -> None:
    more = replace(NOTIFICATIONS, indexes=(*NOTIFICATIONS.indexes, Index("by_type", ("type",))))
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert [step.sql for step in steps] == ["CREATE INDEX CONCURRENTLY by_type ON notifications (type)"]


@pytest.mark.servers("official", "debian")
def test_an_index_on_a_hypertable_with_rows_is_built_chunk_by_chunk(filled: Database) -> None:
    more = replace(READINGS, indexes=(*READINGS.indexes, Index("by_humidity", ("humidity", "measured_at"))))
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert [step.sql for step in steps] == ["CREATE INDEX by_humidity ON environmental_readings (humidity, "
                                            "measured_at) WITH (timescaledb.transaction_per_chunk)"]
    chunks = filled.execute("SELECT count(*) FROM show_chunks('environmental_readings')")
    indexed = filled.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%by_humidity' "
                             "AND schemaname = '_timescaledb_internal'")
    assert indexed == chunks


@pytest.mark.parametrize(("table", "columns"), [(NOTIFICATIONS, ("user_id", "sent_at")),
                                                (READINGS, ("measured_at", "humidity"))], ids=["plain", "hypertable"])
def test_a_changed_index_is_built_under_another_name_and_takes_the_old_ones(
        filled: Database, table: Table, columns: tuple[str, ...]) -> None:
    changed = replace(table, indexes=(*table.indexes[:-1], replace(table.indexes[-1], columns=columns)))
    steps = apply.ensure(filled.owner, [changed], options=SKIP).steps
    assert len(steps) == 2
    assert apply.plan(filled.owner, [changed], options=SKIP).steps == ()
    names = filled.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx%' "
                           f"AND tablename = '{table.name}' ORDER BY 1")
    assert [name for (name,) in names] == sorted(index.name for index in table.indexes)


@pytest.mark.servers("official", "debian")
@pytest.mark.parametrize("table", [NOTIFICATIONS, READINGS], ids=["plain", "hypertable"])
def test_an_index_that_waits_to_take_the_name_is_not_built_again(filled: Database, table: Table) -> None:
    index = replace(table.indexes[-1], columns=(table.indexes[-1].columns[0], "id"))
    changed = replace(table, indexes=(*table.indexes[:-1], index))
    built: list[str] = []
    with held(filled, f"SELECT count(*) FROM {table.name}"), pytest.raises(ApplyError, match="a lock was still held"):
        apply.ensure(filled.owner, [changed], options=replace(SKIP, lock_timeout="100ms", attempts=3),
                     progress=built.append)
    assert len([line for line in built if line.startswith("CREATE INDEX")]) == 1
    assert apply.plan(filled.owner, [table], options=SKIP).steps, "the new one would be left behind"
    assert not any("CREATE" in step.sql for step in apply.ensure(filled.owner, [changed], options=SKIP).steps)


@pytest.mark.servers("official", "debian")
def test_an_index_build_on_a_hypertable_that_was_cut_off_is_done_again(filled: Database) -> None:
    filled.execute("UPDATE environmental_readings SET air_quality = 0 WHERE id = 1")
    index = Index("by_clean_air", ("(100 / air_quality)", "measured_at"))  # fails in the chunk that has the zero
    more = replace(READINGS, indexes=(*READINGS.indexes, index))
    with pytest.raises(ApplyError, match="division by zero"):
        apply.ensure(filled.owner, [more], options=SKIP)
    assert filled.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_clean_air'::regclass") == [(False,)]
    filled.execute("UPDATE environmental_readings SET air_quality = 1 WHERE id = 1")
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert [step.sql.split()[:2] for step in steps] == [["DROP", "INDEX"], ["CREATE", "INDEX"]]
    assert apply.plan(filled.owner, [more], options=SKIP).steps == ()


def test_a_key_comes_to_a_table_with_rows(filled: Database) -> None:
    key = Key("notifications_user_sent_key", ("user_id", "sent_at"))
    more = replace(NOTIFICATIONS, keys=(*NOTIFICATIONS.keys, key))
    steps = apply.ensure(filled.owner, [more], options=SKIP).steps
    assert not any(step.hazards for step in steps)
    with pytest.raises(psycopg.errors.UniqueViolation, match="notifications_user_sent_key"):
        filled.execute("INSERT INTO notifications (user_id, title, type, sent_at) "
                       "SELECT user_id, title, type, sent_at FROM notifications LIMIT 1")


@pytest.mark.parametrize("edit", ["added", "changed"])
def test_a_foreign_key_of_a_hypertable_with_rows_is_proven_without_blocking_writers(
        filled: Database, edit: str) -> None:
    filled.execute("INSERT INTO activity_classifications (user_id, started_at, activity_type) "
                   "SELECT 1, now() - n * interval '1 day', 'rest' FROM generate_series(1, 50) n")
    key = ACTIVITIES.foreign_keys[0]
    if edit == "added":
        filled.execute(f"ALTER TABLE activity_classifications DROP CONSTRAINT {key.name}")
    wanted = ACTIVITIES if edit == "added" else replace(ACTIVITIES, foreign_keys=(replace(key, on_delete="cascade"),))
    steps = apply.ensure(filled.owner, [wanted], options=SKIP).steps
    assert [" NOT VALID" in step.sql for step in steps] == [True, False]
    assert steps[1].sql == f"ALTER TABLE activity_classifications VALIDATE CONSTRAINT {key.name}"
    assert not any(step.hazards for step in steps)


@pytest.mark.servers("official", "embedded")
def test_a_check_under_the_columnstore_blocks_writers_and_needs_that_allowed(filled: Database) -> None:
    filled.execute("SELECT compress_chunk(c) FROM show_chunks('environmental_readings') c LIMIT 2")
    more = replace(READINGS, checks=(*READINGS.checks, Check("id_positive", "id > 0")))
    with pytest.raises(UnsafeChangeError, match="blocks_writes is not allowed"):
        apply.ensure(filled.owner, [more])
    apply.ensure(filled.owner, [more], options=apply.Options(allow=frozenset({"blocks_writes"})))
    assert apply.plan(filled.owner, [more]).steps == ()


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
def test_an_invalid_index_is_rebuilt(filled: Database) -> None:
    filled.execute("UPDATE notifications SET title = 'same'")
    unique = replace(NOTIFICATIONS, indexes=(*NOTIFICATIONS.indexes, Index("by_title", ("title",), unique=True)))
    with pytest.raises(ApplyError, match="by_title"):
        apply.ensure(filled.owner, [unique], options=SKIP)
    assert filled.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_title'::regclass") == [(False,)]
    filled.execute("UPDATE notifications SET title = 'title ' || id")
    steps = apply.ensure(filled.owner, [unique], options=SKIP).steps
    assert [step.sql.split(" by_title")[0] for step in steps] == ["DROP INDEX CONCURRENTLY",
                                                                  "CREATE UNIQUE INDEX CONCURRENTLY"]


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@pytest.mark.parametrize("survives", [0, 1, 2, 3, 4, 5])
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(filled: Database, survives: int) -> None:
    columns = (*NOTIFICATIONS.columns[:3], replace(NOTIFICATIONS.columns[3], null=False), *NOTIFICATIONS.columns[4:])
    changed = replace(NOTIFICATIONS, columns=columns,
                      checks=(*NOTIFICATIONS.checks, Check("title_short", "length(title) < 200")),
                      indexes=(Index("idx_notifications_user_status", ("user_id", "status")),
                               Index("by_type", ("type",))))
    seen: list[str] = []

    def kill(line: str) -> None:
        seen.append(line)
        if len(seen) > survives:
            with filled.admin.connect() as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE application_name = %s", [apply.APPLICATION])

    with pytest.raises(ApplyError):
        apply.ensure(filled.owner, [changed], options=SKIP, progress=kill)
    apply.ensure(filled.owner, [changed], options=SKIP)
    assert apply.plan(filled.owner, [changed], options=SKIP).steps == ()
    assert filled.execute("SELECT count(*) FROM pg_indexes WHERE tablename = 'notifications'") == [(3,)]
    assert filled.execute("SELECT count(*) FROM notifications") == [(500,)]


def test_a_plain_table_with_rows_becomes_a_hypertable_only_where_its_hazards_are_allowed(database: Database) -> None:
    plain = replace(READINGS, hypertable=None, compression=None, retention=None)
    apply.ensure(database.owner, [*declared()[:2], plain], options=SKIP)
    database.execute(*ROWS[:3])
    with pytest.raises(UnsafeChangeError, match="blocks_writes, rewrites_table"):
        apply.ensure(database.owner, [READINGS], options=SKIP)
    apply.ensure(database.owner, [READINGS],
                 options=replace(SKIP, allow=frozenset({"blocks_writes", "rewrites_table"})))
    assert database.execute("SELECT count(*) FROM environmental_readings") == [(500,)]
    assert apply.plan(database.owner, [READINGS], options=SKIP).steps == ()


def test_a_hypertable_is_never_turned_into_a_plain_table(filled: Database) -> None:
    with pytest.raises(UnsafeChangeError, match="it is a hypertable on measured_at and declared as a plain table"):
        apply.plan(filled.owner, [replace(READINGS, hypertable=None, compression=None, retention=None)], options=SKIP)


@pytest.mark.servers("official", "embedded")
def test_a_type_change_under_the_columnstore_is_refused_with_a_remedy(filled: Database) -> None:
    filled.execute("SELECT compress_chunk(c) FROM show_chunks('environmental_readings') c LIMIT 1")
    columns = tuple(replace(column, type="numeric(6,2)") if column.name == "temperature" else column
                    for column in READINGS.columns)
    with pytest.raises(UnsupportedError, match=r"environmental_readings\.temperature: type numeric\(5,2\) cannot"):
        apply.plan(filled.owner, [replace(READINGS, columns=columns)])


@pytest.mark.servers("official", "embedded")
def test_columns_are_added_to_a_table_with_compressed_chunks(filled: Database) -> None:
    filled.execute("SELECT compress_chunk(c) FROM show_chunks('environmental_readings') c LIMIT 2")
    more = replace(READINGS, columns=(*READINGS.columns, replace(READINGS.columns[-1], name="noise", comment=None)))
    assert len(apply.ensure(filled.owner, [more]).steps) == 1
    assert filled.execute("SELECT count(*), count(noise) FROM environmental_readings") == [(500, 0)]


@pytest.mark.servers("debian")
def test_the_apache_edition_is_an_error_that_names_each_part_and_the_remedy(database: Database) -> None:
    with pytest.raises(UnsupportedError) as refused:
        apply.plan(database.owner, declared())
    for words in ("apache edition", "environmental_readings.compression", "environmental_readings.retention",
                  "activity_classifications.retention", "timescale/timescaledb", "onUnsupported: skip"):
        assert words in str(refused.value)


@pytest.mark.servers("debian")
def test_what_the_apache_edition_cannot_have_is_listed_where_it_is_skipped(database: Database) -> None:
    applied = apply.ensure(database.owner, declared(), options=SKIP)
    assert applied.facts["environmental_readings"]["left_out"] == ["environmental_readings.compression",
                                                                  "environmental_readings.retention"]
    assert len([warning for warning in applied.warnings if "was left out" in warning]) == 3
    assert tuple(apply.read(database.owner, declared())) == declared()


def test_facts_stay_the_same_while_rows_come_and_go(filled: Database) -> None:
    before = apply.ensure(filled.owner, declared(), options=SKIP).facts
    filled.execute(ROWS[2], "DELETE FROM notifications")
    assert apply.ensure(filled.owner, declared(), options=SKIP).facts == before


def test_the_number_of_catalog_queries_does_not_grow_with_the_tables(
        filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    original = queries.rows
    monkeypatch.setattr(queries, "rows", lambda *args, **values: asked.append(args[1]) or original(*args, **values))
    apply.plan(filled.owner, declared()[:1], options=SKIP)
    for_one, asked[:] = list(asked), []
    apply.plan(filled.owner, declared(), options=SKIP)
    assert asked == for_one


def test_reading_leaves_nothing_behind(filled: Database) -> None:
    everything = "SELECT count(*) FROM pg_class UNION ALL SELECT count(*) FROM pg_namespace"
    before = filled.execute(everything)
    apply.plan(filled.owner, declared(), options=SKIP)
    apply.read(filled.owner, declared())
    assert filled.execute(everything) == before
