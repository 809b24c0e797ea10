"""Loading: once, whole or not at all, on any server; whatever is wrong is said in one line."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from schema import apply
from schema.lifecompanion import declared
from seed import SeedError, Spec
from seed.errors import InterruptedLoadError
from seed.load import loader, single_transaction
from seed.load.copy_in import can_copy
from seed.load.loader import seed
from seed.load.tables import TABLES
from tests.support.running.servers import Database

pytestmark = pytest.mark.repeats("debian")
SMALL = Spec(readings=9_000, activities=600, notifications=90, days=9, until=datetime(2026, 3, 30, tzinfo=UTC))
EXPECTED = dict(zip(TABLES, (5, 15, 9_000, 600, 90), strict=True))


@pytest.fixture
def empty(declared_database: Database) -> Database:
    """The whole schema without rows."""
    return declared_database


def counts(database: Database) -> dict[str, object]:
    return {table: database.execute(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def digest(database: Database) -> object:
    """One hash for each table, of all its rows as they print."""
    return [database.execute(f"SELECT md5(string_agg(r::text, '|' ORDER BY id)) FROM {table} r")[0][0]
            for table in TABLES]


@pytest.mark.repeats
def test_a_second_run_leaves_the_data_alone(empty: Database) -> None:
    first = seed(empty.owner, SMALL)
    before = digest(empty)
    second = seed(empty.owner, replace(SMALL, number=2))
    assert (first.skipped, second.skipped) == (False, True)
    assert first.counts == second.counts == counts(empty) == EXPECTED
    assert digest(empty) == before


def test_one_row_in_any_table_is_enough_to_leave_all_alone(empty: Database) -> None:
    empty.execute("INSERT INTO users (name, email, password) VALUES ('A', 'a@example.com', 'x')")
    assert seed(empty.owner, SMALL).skipped
    assert counts(empty) == {**dict.fromkeys(TABLES, 0), "users": 1}


def test_ids_go_on_after_the_last_one_loaded(empty: Database) -> None:
    seed(empty.owner, SMALL)
    empty.execute("INSERT INTO users (name, email, password) VALUES ('A', 'a@example.com', 'x')")
    for table, columns, values in (
            ("users", "name, email, password", "'B', 'b@example.com', 'x'"),
            ("devices", "user_id, type, mac_address, mqtt_topic", "1, 'phone', 'AA:BB:CC:DD:EE:FF', 't'"),
            ("environmental_readings", "device_id, measured_at", "1, now()"),
            ("activity_classifications", "user_id, started_at, activity_type", "1, now(), 'work'"),
            ("notifications", "user_id, title, type", "1, 'T', 't'")):
        most = empty.execute(f"SELECT max(id) FROM {table}")[0][0]
        assert empty.execute(f"INSERT INTO {table} ({columns}) VALUES ({values}) RETURNING id") == [(most + 1,)]


def test_progress_reports_every_table_up_to_its_last_row(empty: Database) -> None:
    heard: dict[str, list[tuple[int, int]]] = {}
    seed(empty.owner, SMALL, lambda table, done, total: heard.setdefault(table, []).append((done, total)))
    # Aggregates may come after them.
    assert list(heard)[:len(TABLES)] == list(TABLES)
    for table, steps in list(heard.items())[:len(TABLES)]:
        assert steps == sorted(steps)
        assert steps[-1] == (EXPECTED[table], EXPECTED[table])


@pytest.mark.servers("official", "debian")
def test_copy_and_insert_load_the_same_rows(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with empty.owner.connect() as connection:
        assert can_copy(connection)
    seed(empty.owner, SMALL)
    by_copy = digest(empty)
    empty.execute(f"TRUNCATE {', '.join(TABLES)}")
    monkeypatch.setattr(single_transaction, "can_copy", lambda connection: False)
    seed(empty.owner, SMALL)
    assert digest(empty) == by_copy


@pytest.mark.servers("embedded")
def test_a_server_in_webassembly_is_known_before_copy_is_tried(empty: Database) -> None:
    with empty.owner.connect() as connection:
        assert not can_copy(connection)


def test_timestamps_with_time_zone_hold_the_same_instants(database: Database) -> None:
    apply.ensure(database.owner, declared("timestamptz"), options=apply.Options(on_unsupported="skip"))
    seed(database.owner, SMALL)
    ((with_zone, last),) = database.execute(
        "SELECT pg_typeof(max(measured_at))::text, max(measured_at) FROM environmental_readings")
    assert with_zone == "timestamp with time zone"
    assert (SMALL.until - last).total_seconds() < 3_600
    assert last <= SMALL.until


@pytest.mark.parametrize("table", ["devices", "environmental_readings", "notifications"])
def test_an_interrupted_run_leaves_nothing_and_the_next_one_loads_all(empty: Database, table: str) -> None:
    def interrupt(loading: str, done: int, total: int) -> None:
        if loading == table:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedLoadError, match=r"interrupted; nothing of the data stays$"):
        seed(empty.owner, SMALL, interrupt)
    assert counts(empty) == dict.fromkeys(TABLES, 0)
    assert seed(empty.owner, SMALL).counts == EXPECTED


@pytest.mark.servers("official", "debian")
def test_a_connection_lost_half_way_leaves_no_rows_and_is_a_one_line_error(empty: Database) -> None:
    def kill(table: str, done: int, total: int) -> None:
        if table == "environmental_readings":
            with empty.admin.connect() as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                   "WHERE application_name = 'lifecompanion seed' AND datname = current_database()")

    with pytest.raises(SeedError, match=r"could not be loaded: .*; nothing of it stays") as caught:
        seed(empty.owner, SMALL, kill)
    assert "\n" not in str(caught.value)
    assert empty.owner.password not in str(caught.value)
    assert counts(empty) == dict.fromkeys(TABLES, 0)
    assert seed(empty.owner, SMALL).counts == EXPECTED


@pytest.mark.servers("official", "debian")
def test_of_two_simultaneous_runs_one_loads_and_the_other_changes_nothing(empty: Database) -> None:
    results: list[loader.Seeded] = []
    runs = [threading.Thread(target=lambda number=number: results.append(
        seed(empty.owner, replace(SMALL, number=number)))) for number in (1, 2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(result.skipped for result in results) == [False, True]
    assert counts(empty) == EXPECTED


@pytest.mark.parametrize(("change", "complaint"), [
    ("DROP TABLE notifications", r"^table notifications: does not exist; apply the schema first$"),
    ("ALTER TABLE devices DROP COLUMN metadata", r"^table devices: has no column metadata; apply the schema first$"),
    ("ALTER TABLE users ALTER COLUMN id TYPE integer", r"^column users.id: is integer, the data needs bigint; apply"),
])
def test_a_table_that_is_not_the_declared_one_is_named(empty: Database, change: str, complaint: str) -> None:
    empty.execute(change)
    with pytest.raises(SeedError, match=complaint):
        seed(empty.owner, SMALL)


def test_a_row_that_the_server_refuses_undoes_all(empty: Database) -> None:
    empty.execute("ALTER TABLE notifications ADD CONSTRAINT none CHECK (false) NOT VALID")
    with pytest.raises(SeedError, match=r"could not be loaded: .*violates check constraint") as caught:
        seed(empty.owner, SMALL)
    assert "\n" not in str(caught.value)
    assert counts(empty) == dict.fromkeys(TABLES, 0)


@pytest.mark.servers("official")
def test_a_refresh_that_a_job_has_begun_is_waited_for(empty: Database) -> None:
    # As refresh.c registers a job's refresh, of all time, until the session of this process ends.
    with empty.admin.connect() as job:
        job.execute(
            "INSERT INTO _timescaledb_catalog.continuous_aggs_jobs_refresh_ranges SELECT mat_hypertable_id, "
            "-9223372036854775807, 9223372036854775807, pg_backend_pid(), 0, now() "
            "FROM _timescaledb_catalog.continuous_agg WHERE user_view_name = 'readings_hourly'")
        with pytest.raises(psycopg.errors.LockNotAvailable, match="concurrent refresh"):
            empty.execute("CALL refresh_continuous_aggregate('readings_hourly', NULL, NULL)")
        done = threading.Timer(2, lambda: job.execute(
            "DELETE FROM _timescaledb_catalog.continuous_aggs_jobs_refresh_ranges"))
        done.start()
        assert seed(empty.owner, replace(SMALL, days=63, until=datetime.now(UTC))).counts["users"] == 5
        done.join()
    assert empty.execute("SELECT sum(readings)::bigint FROM readings_hourly") == [(9_000,)]
