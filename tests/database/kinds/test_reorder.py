"""Reorder policies: altered in place, removed where nobody declares them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsupportedError
from schema.model.objects import Column, Hypertable, Index, Key, Reorder, Table
from schema.model.properties import from_dict, to_dict
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

TABLE = Table("readings", (Column("at", "timestamptz", null=False), Column("device", "bigint", null=False)),
              keys=(Key("readings_pkey", ("device", "at"), primary=True),),
              hypertable=Hypertable("at", "7 days"), indexes=(Index("by_time", ("at DESC",)),),
              reorder=Reorder("readings_pkey"))
JOB = "SELECT job_id FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' ORDER BY 1"


def changed(database: Database, table: Table) -> list[str]:
    """Apply, which proves that the next plan is empty; what was run. What is read back is the declaration."""
    steps = apply.ensure(database.owner, [table]).steps
    assert apply.read(database.owner, [table]) == [table]
    assert from_dict(to_dict(table)) == table
    return [step.sql for step in steps]


@pytest.mark.servers("official", "embedded")
def test_a_policy_is_added_altered_in_place_and_removed(database: Database) -> None:
    assert changed(database, TABLE)[-1] == "SELECT add_reorder_policy('readings', 'readings_pkey')"
    before = database.execute(JOB)
    for change in ({"index": "by_time"}, {"index": "by_time", "schedule": "1 day"},
                   {"index": "by_time", "schedule": "1 day", "paused": True}):
        (step,) = changed(database, replace(TABLE, reorder=Reorder(**change)))  # type: ignore[arg-type]
        assert step.startswith("SELECT (alter_job(")
        assert database.execute(JOB) == before
    assert changed(database, replace(TABLE, reorder=None)) == ["SELECT remove_reorder_policy('readings')"]


def test_a_paused_policy_with_a_schedule_is_added_in_one_step(database: Database) -> None:
    changed(database, replace(TABLE, reorder=None))
    assert changed(database, replace(TABLE, reorder=Reorder("by_time", "2 days", paused=True))) == [
        "SELECT (alter_job(add_reorder_policy('readings', 'by_time'), schedule_interval => interval '2 days', "
        "scheduled => false)).job_id"]


def test_a_policy_removed_by_hand_plans_exactly_its_creation(database: Database) -> None:
    changed(database, TABLE)
    database.execute("SELECT remove_reorder_policy('readings')")
    assert changed(database, TABLE) == ["SELECT add_reorder_policy('readings', 'readings_pkey')"]


def test_the_policy_rewrites_chunks_in_the_order_of_its_index(database: Database) -> None:
    changed(database, TABLE)
    database.execute("INSERT INTO readings SELECT now() - n * interval '1 hour', 1000 - n FROM "
                     "generate_series(1, 900) n")
    (job,), = database.execute(JOB)
    database.execute(f"CALL run_job({job})")
    clustered = database.execute("SELECT count(*) FROM pg_index WHERE indisclustered AND indrelid IN "
                                 "(SELECT c FROM show_chunks('readings') c)")
    assert clustered != [(0,)]


def test_an_undeclared_index_is_refused_without_a_server(database: Database) -> None:
    with pytest.raises(DeclarationError, match=r"readings\.reorder: index 'nope' is not declared"):
        apply.plan(database.owner, [replace(TABLE, reorder=Reorder("nope"))])
    with pytest.raises(DeclarationError, match=r"readings\.reorder: the table is no hypertable"):
        apply.plan(database.owner, [replace(TABLE, hypertable=None)])


@pytest.mark.servers("debian")
def test_the_apache_edition_refuses_a_reorder_policy_by_name(database: Database) -> None:
    with pytest.raises(UnsupportedError, match=r"cannot have readings\.reorder"):
        apply.plan(database.owner, [TABLE])
