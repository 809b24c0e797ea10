"""Loading in portions: the same rows, whatever interrupts it; nothing half-loaded that the next run does not finish."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schema import apply
from schema.lifecompanion import declared
from schema.model.change.step import Hazard
from seed import SeedError, Spec
from seed.errors import InterruptedLoadError
from seed.load import deferral
from seed.load.ledger import SCHEMA
from seed.load.loader import LoadOptions, discard, resume, seed
from seed.load.tables import GROWING, TABLES
from tests.support.killed_load import kill_half_way
from tests.support.running.servers import Database, Server, create_declared, drop_database
from tests.support.writers import everybody_writes, writing

SPEC = Spec(days=63, readings=3_000, activities=900, notifications=60, until=datetime(2026, 6, 1, tzinfo=UTC))
EXPECTED = dict(zip(TABLES, (5, 15, 3_000, 900, 60), strict=True))
PORTIONS = LoadOptions(single_transaction_rows=0, workers=2)
OPTIONS = apply.Options(on_unsupported="skip")


def digest(database: Database) -> list[object]:
    """One hash for each table, of all its rows as they print."""
    return [database.execute(f"SELECT md5(string_agg(r::text, '|' ORDER BY id)) FROM {table} r")[0][0]
            for table in TABLES]


def counts(database: Database) -> dict[str, object]:
    return {table: database.execute(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def differences(database: Database) -> list[str]:
    return apply.plan(database.owner, declared(), options=OPTIONS).render()


def keys_in_force(database: Database) -> object:
    """How many of the growing tables' foreign keys are there and valid; the parts of a hypertable's not counted."""
    return database.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND convalidated AND conrelid IN "
                            f"({', '.join(repr(table) + '::regclass' for table in GROWING)})")[0][0]


def has_ledger(database: Database) -> object:
    return database.execute(f"SELECT to_regnamespace('{SCHEMA}') IS NOT NULL")[0][0]


def require_complete(database: Database) -> None:
    """Every row is there, the schema is the declared one, and nothing of the load is left behind."""
    assert counts(database) == EXPECTED
    assert differences(database) == []
    assert has_ledger(database) is False


@pytest.fixture(scope="module")
def expected(server: Server) -> list[object]:
    """What the tables hold after a load in one transaction."""
    database = create_declared(server, "t_seed_whole")
    seed(database.owner, SPEC)
    rows = digest(database)
    drop_database(database)
    return rows


@pytest.fixture
def empty(expected: list[object], declared_database: Database) -> Database:
    """The whole schema without rows; `whole` comes first, as the embedded server has but one database."""
    return declared_database


def stop_at(stage: str, reached: int = 1) -> Callable[[str, int, int], None]:
    """A listener that presses Ctrl-C once a stage has got so far."""
    def hear(heard: str, done: int, total: int) -> None:
        if heard == stage and done >= reached:
            raise KeyboardInterrupt
    return hear


def test_portions_load_the_same_rows_as_one_transaction(empty: Database, expected: list[object]) -> None:
    done = seed(empty.owner, SPEC, options=PORTIONS)
    assert (done.counts, done.skipped, done.resumed) == (EXPECTED, False, False)
    require_complete(empty)
    assert digest(empty) == expected
    assert seed(empty.owner, SPEC, options=PORTIONS).skipped


@pytest.mark.parametrize("stage", ["users", "environmental_readings", "activity_classifications", "notifications",
                                   "indexes", "foreign keys", "analyze"])
@pytest.mark.servers("official")
def test_ctrl_c_is_clean_and_the_next_run_goes_on(empty: Database, expected: list[object], stage: str) -> None:
    with pytest.raises(InterruptedLoadError, match="interrupted; the portions that are loaded stay") as caught:
        seed(empty.owner, SPEC, stop_at(stage), PORTIONS)
    assert "\n" not in str(caught.value)
    assert keys_in_force(empty) == 3
    heard: dict[str, int] = {}
    done = seed(empty.owner, replace(SPEC, until=datetime(2026, 6, 2, tzinfo=UTC)),
                lambda table, rows, total: heard.setdefault(table, rows), PORTIONS)
    assert done.resumed
    if stage == "analyze":
        assert heard["environmental_readings"] > 0
    require_complete(empty)
    assert digest(empty) == expected


@pytest.mark.servers("embedded")
def test_on_the_embedded_server_ctrl_c_is_clean_too(empty: Database, expected: list[object]) -> None:
    for stage in ("environmental_readings", "notifications", "foreign keys"):
        with pytest.raises(InterruptedLoadError):
            seed(empty.owner, SPEC, stop_at(stage), PORTIONS)
        assert keys_in_force(empty) == 3
    assert seed(empty.owner, SPEC, options=PORTIONS).resumed
    require_complete(empty)
    assert digest(empty) == expected


@pytest.mark.servers("official")
def test_a_killed_process_leaves_nothing_that_the_next_run_leaves_undone(
        empty: Database, expected: list[object]) -> None:
    kill_half_way(empty.owner, SPEC)
    assert differences(empty) != []
    assert seed(empty.owner, SPEC, options=PORTIONS).resumed
    require_complete(empty)
    assert digest(empty) == expected


@pytest.mark.servers("official")
def test_a_lost_connection_is_a_one_line_error_and_the_next_run_continues(empty: Database,
                                                                          expected: list[object]) -> None:
    killed = threading.Event()

    def kill(table: str, done: int, total: int) -> None:
        if table == "environmental_readings" and not killed.is_set():
            killed.set()
            with empty.admin.connect() as connection:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state <> 'idle' AND "
                                   "application_name = 'lifecompanion seed' AND datname = current_database()")

    with pytest.raises(SeedError, match=r"could not be loaded: .*; the portions that are loaded stay") as caught:
        seed(empty.owner, SPEC, kill, PORTIONS)
    assert "\n" not in str(caught.value)
    assert empty.owner.password not in str(caught.value)
    assert seed(empty.owner, SPEC, options=PORTIONS).resumed
    require_complete(empty)
    assert digest(empty) == expected


@pytest.mark.servers("official")
def test_the_schema_engine_repairs_what_an_interrupted_load_deferred(empty: Database, expected: list[object]) -> None:
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("activity_classifications"), PORTIONS)
    # A process that is killed cannot put the foreign keys back.
    empty.execute("ALTER TABLE environmental_readings DROP CONSTRAINT environmental_readings_device_id_fkey")
    assert any("idx_environmental_device_time" in step for step in differences(empty))
    apply.ensure(empty.owner, declared(), options=replace(OPTIONS, allow=(Hazard.BLOCKS_WRITES,)))
    assert differences(empty) == []
    assert seed(empty.owner, SPEC, options=PORTIONS).resumed
    require_complete(empty)
    assert digest(empty) == expected


@pytest.mark.servers("official")
def test_an_index_whose_building_was_interrupted_is_built_anew(empty: Database) -> None:
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("indexes"), PORTIONS)
    # As a build by chunk leaves it when its session dies: there, and not valid.
    empty.execute("DROP INDEX IF EXISTS idx_activity_user_time",
                  "CREATE INDEX idx_activity_user_time ON activity_classifications (user_id, started_at DESC)")
    with empty.admin.connect() as connection:
        connection.execute("UPDATE pg_index SET indisvalid = false "
                           "WHERE indexrelid = 'idx_activity_user_time'::regclass")
    seed(empty.owner, SPEC, options=PORTIONS)
    require_complete(empty)


@pytest.mark.servers("official")
def test_while_a_load_is_unfinished_other_data_is_refused_and_it_can_be_finished_or_removed(empty: Database) -> None:
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("environmental_readings", 900), PORTIONS)
    with pytest.raises(SeedError, match=r"a load of other data was interrupted \(5 users .*; finish it with "
                                        r"`lcdb seed --resume`, or remove it with `lcdb seed --discard`$"):
        seed(empty.owner, replace(SPEC, users=4, readings=70), options=PORTIONS)
    assert discard(empty.owner) is True
    assert counts(empty) == dict.fromkeys(TABLES, 0)
    assert differences(empty) == []
    assert has_ledger(empty) is False
    assert discard(empty.owner) is False
    with pytest.raises(SeedError, match="no interrupted load to finish"):
        resume(empty.owner)
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("environmental_readings"), PORTIONS)
    assert resume(empty.owner, options=PORTIONS).counts == EXPECTED
    require_complete(empty)


@pytest.mark.servers("official")
def test_tables_emptied_by_hand_forget_the_load_that_was_interrupted(empty: Database) -> None:
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("environmental_readings", 900), PORTIONS)
    empty.execute(f"TRUNCATE {', '.join(TABLES)}")
    done = seed(empty.owner, replace(SPEC, number=2), options=PORTIONS)
    assert not done.resumed
    require_complete(empty)


@pytest.mark.servers("official")
def test_a_reader_that_holds_the_tables_is_not_waited_for(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferral, "_LOCK_TIMEOUT", "200ms")
    with empty.owner.connect() as reader, reader.transaction():
        reader.execute("SELECT count(*) FROM environmental_readings")
        seed(empty.owner, SPEC, options=PORTIONS)
    require_complete(empty)


@pytest.mark.servers("official")
@pytest.mark.parametrize("options", [LoadOptions(add=True),
                                     LoadOptions(add=True, single_transaction_rows=0, workers=2)],
                         ids=["whole", "portions"])
def test_data_is_added_to_existing_rows_while_others_write(empty: Database, options: LoadOptions) -> None:
    seed(empty.owner, SPEC)
    work = {"users": "INSERT INTO users (name, email, password) VALUES ('A', gen_random_uuid() || '@example.com', 'x')",
            "environmental_readings": "INSERT INTO environmental_readings (device_id, measured_at) VALUES (1, now())"}
    with writing(empty.owner, tuple(work), every=0.002, statements=work) as writers:
        everybody_writes(writers, work)
        since = time.monotonic()
        done = seed(empty.owner, SPEC, options=options)
        until = time.monotonic()
    assert writers.failures == []
    assert writers.within(since, until) == set(work)
    written = Counter(name for name, _, _ in writers.done)
    assert counts(empty) == {table: EXPECTED[table] * 2 + written[table] for table in TABLES}
    assert done.counts == EXPECTED
    for table in GROWING:
        assert empty.execute(f"SELECT count(*) - count(DISTINCT id) FROM {table}") == [(0,)]
    assert differences(empty) == []
    assert has_ledger(empty) is False


@pytest.mark.servers("official")
def test_discarding_an_interrupted_addition_keeps_the_earlier_rows(
        empty: Database, expected: list[object]) -> None:
    seed(empty.owner, SPEC)
    with pytest.raises(InterruptedLoadError):
        seed(empty.owner, SPEC, stop_at("notifications"), LoadOptions(add=True, single_transaction_rows=0, workers=2))
    assert counts(empty) != EXPECTED
    assert discard(empty.owner) is True
    assert digest(empty) == expected
    assert differences(empty) == []


@pytest.mark.parametrize("options", [LoadOptions(compress=True),
                                     LoadOptions(compress=True, single_transaction_rows=0, workers=2)],
                         ids=["whole", "portions"])
@pytest.mark.servers("official", "embedded")
def test_old_chunks_are_compressed_when_asked(empty: Database, options: LoadOptions) -> None:
    recent = replace(SPEC, until=datetime.now(UTC))
    seed(empty.owner, recent, options=options)
    old = empty.execute("SELECT is_compressed, range_end < now() - interval '1 month' FROM "
                        "timescaledb_information.chunks WHERE hypertable_name = 'environmental_readings'")
    assert {(True, True), (False, False)} == set(old)
    assert counts(empty) == EXPECTED


@pytest.mark.servers("debian")
def test_compressing_on_the_apache_edition_is_refused(empty: Database) -> None:
    with pytest.raises(SeedError, match=r"no table has a compression policy .*; apply the schema on the Community "
                                        r"edition, or leave out --compress$"):
        seed(empty.owner, SPEC, options=LoadOptions(compress=True))
    assert counts(empty) == dict.fromkeys(TABLES, 0)


@pytest.mark.servers("official")
def test_a_login_that_may_not_create_schemas_is_refused_with_the_missing_right(empty: Database) -> None:
    with empty.admin.connect() as connection:
        connection.execute(f"REVOKE CREATE ON DATABASE {empty.owner.database} FROM {empty.owner.user}".encode())
    with pytest.raises(SeedError, match=r"may not create schemas, .*; run GRANT CREATE ON DATABASE") as caught:
        seed(empty.owner, SPEC, options=PORTIONS)
    assert "\n" not in str(caught.value)
    assert counts(empty) == dict.fromkeys(TABLES, 0)


@pytest.mark.servers("official")
def test_a_row_that_the_server_refuses_stops_the_load_and_discarding_it_leaves_nothing(empty: Database) -> None:
    empty.execute("ALTER TABLE notifications ADD CONSTRAINT none CHECK (false) NOT VALID")
    with pytest.raises(SeedError, match=r"could not be loaded: .*violates check constraint") as caught:
        seed(empty.owner, SPEC, options=PORTIONS)
    assert "\n" not in str(caught.value)
    assert discard(empty.owner)
    empty.execute("ALTER TABLE notifications DROP CONSTRAINT none")
    assert counts(empty) == dict.fromkeys(TABLES, 0)
    assert differences(empty) == []


@pytest.mark.servers("official", "debian")
def test_a_reading_whose_device_is_gone_is_reported_when_the_foreign_key_is_restored(empty: Database) -> None:
    def delete(stage: str, done: int, total: int) -> None:
        if stage == "indexes":
            empty.execute("DELETE FROM devices WHERE id = 7")

    with pytest.raises(SeedError, match=r"violates foreign key constraint .*; the portions that are loaded stay"):
        seed(empty.owner, SPEC, delete, PORTIONS)
    assert discard(empty.owner) is True
    assert counts(empty) == dict.fromkeys(TABLES, 0)
    assert differences(empty) == []


@pytest.mark.parametrize("options", [LoadOptions(), PORTIONS], ids=["whole", "portions"])
@pytest.mark.servers("official", "embedded")
def test_aggregates_show_what_their_policies_do_not_reach_back_to(empty: Database, options: LoadOptions) -> None:
    seed(empty.owner, replace(SPEC, days=63, until=datetime.now(UTC)), options=options)
    for (job,) in empty.execute("SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = "
                                "'policy_refresh_continuous_aggregate' ORDER BY job_id"):
        empty.execute(f"CALL run_job({job})")
    assert empty.execute("SELECT sum(readings)::bigint FROM readings_hourly") == [(3_000,)]
    assert empty.execute("SELECT sum(activities)::bigint FROM activity_daily") == [(900,)]
    assert empty.execute("SELECT sum(readings)::bigint FROM readings_daily") == [(3_000,)]
