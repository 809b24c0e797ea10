"""`up` and `schema apply` after a load that was killed: they finish it before they look at the schema, and say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.registry import gather
from infra.handlers import unfinished_seeds
from infra.local.notices import PREFIX
from infra.providers.schema import TableProvider
from schema import apply
from schema.errors import UnsafeChangeError
from schema.lifecompanion import declared
from schema.model.objects import Table
from schema.model.properties import to_dict
from seed import Spec
from seed.load import ledger
from seed.load.loader import seed
from seed.load.tables import TABLES
from tests.support.killed_load import kill_half_way, portions
from tests.support.running.servers import Database

SPEC = Spec(days=63, readings=3_000, activities=900, notifications=60, until=datetime(2026, 6, 1, tzinfo=UTC))
EXPECTED = dict(zip(TABLES, (5, 15, 3_000, 900, 60), strict=True))
OPTIONS = apply.Options(on_unsupported="skip")
pytestmark = pytest.mark.servers("official")


@pytest.fixture
def empty(declared_database: Database) -> Database:
    """The whole schema without rows."""
    return declared_database


def calls(database: Database) -> Iterator[tuple[TableProvider, dict[str, Any]]]:
    """For each declared table what Pulumi calls, and with which properties."""
    for declaration in declared():
        if isinstance(declaration, Table):
            yield TableProvider(), {**to_dict(declaration), "connection": database.owner.to_dict(),
                                    "options": {"on_unsupported": "skip", "timestamps": "timestamp"}, "facts": None}


def up(database: Database) -> list[str]:
    """What `pulumi up` does with each table: update it where that has something to do; the names of those."""
    updated = []
    for provider, props in calls(database):
        if provider.diff("", props, props).changes:
            provider.update("", props, props)
            updated.append(props["name"])
    return updated


def counts(database: Database) -> dict[str, object]:
    return {table: database.execute(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


def require_as_declared(database: Database) -> None:
    assert apply.plan(database.owner, declared(), options=OPTIONS).render() == []
    assert portions(database.owner) == 0
    assert up(database) == []


def test_the_record_is_looked_for_where_the_loader_keeps_it() -> None:
    assert unfinished_seeds.RECORD == ledger.SCHEMA
    assert unfinished_seeds.ANNOUNCED_AT in TABLES


def test_up_finishes_a_killed_load_and_puts_back_what_it_had_taken_off(
        empty: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(empty.owner, SPEC)
    with pytest.raises(UnsafeChangeError, match="blocks_writes"):
        apply.ensure(empty.owner, declared(), options=OPTIONS)
    assert "environmental_readings" in up(empty)
    lines = [line for line in capfd.readouterr().err.splitlines() if line.startswith(PREFIX + "finished")]
    assert len(lines) == 1
    assert "5 users with 3 devices, 63 days, 3000 readings" in lines[0]
    assert "3,980 rows are there" in lines[0]
    assert counts(empty) == EXPECTED
    require_as_declared(empty)


def test_up_finishes_a_killed_load_that_had_taken_nothing_off(empty: Database) -> None:
    seed(empty.owner, SPEC)
    kill_half_way(empty.owner, replace(SPEC, number=2), adding=True)
    assert up(empty) == ["environmental_readings"]
    assert counts(empty) == {table: count * 2 for table, count in EXPECTED.items()}
    require_as_declared(empty)


def test_a_preview_says_that_the_load_is_finished_first_and_refuses_nothing_that_it_puts_back(empty: Database) -> None:
    kill_half_way(empty.owner, SPEC)
    before = counts(empty)
    plans = {props["name"]: provider.check({}, {**props, "preview": True}).inputs["plan"]
             for provider, props in calls(empty)}
    assert plans["users"] == plans["devices"] == []
    assert plans["environmental_readings"][0] == unfinished_seeds.PLAN
    assert any("FOREIGN KEY" in line for line in plans["environmental_readings"])
    assert "REFUSED" not in str(plans)
    assert counts(empty) == before


def test_up_goes_on_where_the_tables_no_longer_fit_the_load(empty: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(empty.owner, SPEC)
    empty.execute("DROP TABLE notifications")
    assert {"environmental_readings", "notifications"} <= set(up(empty))
    log = capfd.readouterr().err
    assert "cannot be finished yet: table notifications: does not exist; apply the schema first, then finish it" in log
    up(empty)
    assert counts(empty) == EXPECTED
    require_as_declared(empty)


def run(database: Database, *words: str) -> Any:
    """`lcdb schema ...` against the database, as its owner."""
    return CliRunner().invoke(gather(), ["schema", *words, "--skip-unsupported"],
                              env={"LCDB_DSN": database.owner.dsn(), "STACK": None, "COLUMNS": "400"})


def test_schema_apply_finishes_a_killed_load_first_and_schema_plan_tells_of_it(empty: Database) -> None:
    kill_half_way(empty.owner, SPEC)
    plan = run(empty, "plan")
    assert plan.exit_code == 2
    assert plan.output.splitlines()[0] == unfinished_seeds.PLAN
    assert "would refuse" not in plan.output
    assert unfinished_seeds.PLAN in json.loads(run(empty, "plan", "--json").stdout)["warnings"]
    applied = run(empty, "apply")
    assert applied.exit_code == 0
    lines = applied.output.splitlines()
    assert len([line for line in lines if line.startswith("finished the load of development data that was")]) == 1
    assert lines[-1] == "nothing to do: the database is as declared"
    assert counts(empty) == EXPECTED
    require_as_declared(empty)
    assert run(empty, "plan").exit_code == 0


def test_schema_apply_with_json_says_what_it_finished(empty: Database) -> None:
    seed(empty.owner, SPEC)
    kill_half_way(empty.owner, replace(SPEC, number=2), adding=True)
    facts = json.loads(run(empty, "apply", "--json").stdout)
    assert facts["steps"] == []
    assert facts["warnings"][0].startswith("finished the load of development data that was interrupted")
    assert json.loads(run(empty, "apply", "--json").stdout)["warnings"] == facts["warnings"][1:]


def test_a_load_whose_rows_were_removed_by_hand_is_forgotten(
        empty: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(empty.owner, SPEC)
    empty.execute(f"TRUNCATE {', '.join(TABLES)}")
    assert "environmental_readings" in up(empty)
    assert "is forgotten: its rows are gone; its indexes and foreign keys are back" in capfd.readouterr().err
    require_as_declared(empty)
