"""Retention: altered in place, and what it is going to delete is told before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError
from schema.model.objects import Column, Hypertable, Retention, Table
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

TABLE = Table("readings", (Column("at", "timestamptz", null=False), Column("value", "integer")),
              hypertable=Hypertable("at", "7 days"), retention=Retention("1 year"))
NUMBERS = Table("readings", (Column("at", "integer", null=False), Column("value", "integer")),
                hypertable=Hypertable("at", "1000", now="app_now"), retention=Retention("90000"))
ROWS = "INSERT INTO readings SELECT now() - n * interval '1 day', n FROM generate_series(1, 100) n"
JOB = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention' ORDER BY 1"


def changed(database: Database, table: Table, *allow: str) -> list[str]:
    """Apply, which proves that the next plan is empty; what was run. What is read back is the declaration."""
    steps = apply.ensure(database.owner, [table], options=apply.Options(allow=frozenset(allow))).steps
    assert apply.read(database.owner, [table]) == [table]
    return [step.sql for step in steps]


@pytest.fixture
def filled(database: Database) -> Database:
    """The table with rows of the last hundred days."""
    apply.ensure(database.owner, [TABLE])
    database.execute(ROWS)
    return database


def keeping(drop_after: str, **more: object) -> Table:
    return replace(TABLE, retention=Retention(drop_after, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [{"drop_after": "2 years"}, {"schedule": "2 hours"}, {"paused": True}])
def test_the_policy_is_altered_in_place_and_back(filled: Database, change: dict[str, str]) -> None:
    start = keeping("1 year", schedule="1 day")
    changed(filled, start)
    before = filled.execute(JOB)
    for wanted in (keeping(**{"drop_after": "1 year", "schedule": "1 day", **change}), start):
        (step,) = changed(filled, wanted)
        assert step.startswith("SELECT (alter_job(")
    assert filled.execute(JOB) == before


def test_a_limit_that_rows_have_passed_deletes_data_and_says_how_much(filled: Database) -> None:
    (step,) = apply.plan(filled.owner, [keeping("30 days")]).steps
    assert step.hazards == ("deletes_data",)
    assert step.cost in ("9 chunks will be dropped", "10 chunks will be dropped")
    with pytest.raises(UnsafeChangeError, match="deletes_data is not allowed"):
        apply.ensure(filled.owner, [keeping("30 days")])
    changed(filled, keeping("30 days"), "deletes_data")


def test_a_paused_policy_that_goes_on_deletes_data(filled: Database) -> None:
    changed(filled, keeping("30 days", paused=True), "deletes_data")
    (step,) = apply.plan(filled.owner, [keeping("30 days")]).steps
    assert step.hazards == ("deletes_data",)


def test_a_table_that_becomes_a_hypertable_reports_the_rows_that_retention_will_delete(database: Database) -> None:
    apply.ensure(database.owner, [replace(TABLE, hypertable=None, retention=None)])
    database.execute(ROWS)
    steps = apply.plan(database.owner, [keeping("30 days")]).steps
    assert steps[-1].hazards == ("deletes_data",)
    assert steps[-1].cost == "rows that are older than 30 days already will be dropped"
    assert apply.plan(database.owner, [TABLE]).steps[-1].hazards == ()


def test_integer_retention_counts_from_the_tables_now_function(database: Database) -> None:
    database.execute("CREATE FUNCTION app_now() RETURNS integer LANGUAGE sql STABLE AS 'SELECT 100000'")
    changed(database, NUMBERS)
    database.execute("INSERT INTO readings SELECT n, n FROM generate_series(1, 100000, 100) n")
    wanted = replace(NUMBERS, retention=Retention("95000"))
    (step,) = apply.plan(database.owner, [wanted]).steps
    assert step.hazards == ()
    assert "'95000'" in step.sql
    less = replace(NUMBERS, retention=Retention("20000"))
    (step,) = apply.plan(database.owner, [less]).steps
    assert (step.hazards, step.cost) == (("deletes_data",), "80 chunks will be dropped")
    changed(database, less, "deletes_data")
    (job,), = database.execute(JOB)
    database.execute(f"CALL run_job({job})")
    assert database.execute("SELECT min(at) FROM readings") == [(80001,)]


def test_a_policy_that_goes_by_the_chunks_creation_is_altered_to_go_by_their_rows(filled: Database) -> None:
    filled.execute("SELECT remove_retention_policy('readings')",
                   "SELECT add_retention_policy('readings', drop_created_before => interval '1 year')")
    before = filled.execute(JOB)
    (step,) = changed(filled, TABLE)
    assert "drop_created_before" in step
    assert filled.execute(JOB) == before


def test_the_policy_is_removed_with_its_duplicates(filled: Database) -> None:
    (first,), = filled.execute(JOB)
    with filled.admin.connect() as connection:  # as a hand in the catalog leaves it
        connection.execute("INSERT INTO _timescaledb_catalog.bgw_job SELECT (jsonb_populate_record(j, "
                           "jsonb_build_object('id', 3000))).* FROM _timescaledb_catalog.bgw_job j "
                           f"WHERE id = {first}".encode())
    assert changed(filled, replace(TABLE, retention=None)) == [
        "SELECT delete_job(3000)", "SELECT remove_retention_policy('readings')"]
    assert filled.execute(JOB) == []
