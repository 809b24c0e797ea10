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
from tests.support.servers import Database

SPEC = Spec(days=63, readings=3_000, activities=900, notifications=60, until=datetime(2026, 6, 1, tzinfo=UTC))
EXPECTED = dict(zip(TABLES, (5, 15, 3_000, 900, 60), strict=True))
OPTIONS = apply.Options(on_unsupported="skip")
pytestmark = pytest.mark.servers("official")


@pytest.fixture
def made(declared_database: Database) -> Database:
    """The whole schema without rows."""
    return declared_database


def calls(database: Database) -> Iterator[tuple[TableProvider, dict[str, Any]]]:
    """For each declared table what Pulumi calls, and with which properties."""
    for each in declared():
        if isinstance(each, Table):
            yield TableProvider(), {**to_dict(each), "connection": database.owner.to_dict(),
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
    assert unfinished_seeds.TOLD_AT in TABLES


def test_up_finishes_a_killed_load_and_puts_back_what_it_had_taken_off(
        made: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(made.owner, SPEC)
    with pytest.raises(UnsafeChangeError, match="blocks_writes"):
        apply.ensure(made.owner, declared(), options=OPTIONS)
    assert "environmental_readings" in up(made)
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith(PREFIX + "finished")]
    assert len(told) == 1
    assert "5 users with 3 devices, 63 days, 3000 readings" in told[0]
    assert "3,980 rows are there" in told[0]
    assert counts(made) == EXPECTED
    require_as_declared(made)


def test_up_finishes_a_killed_load_that_had_taken_nothing_off(made: Database) -> None:
    seed(made.owner, SPEC)
    kill_half_way(made.owner, replace(SPEC, number=2), adding=True)
    assert up(made) == ["environmental_readings"]
    assert counts(made) == {table: count * 2 for table, count in EXPECTED.items()}
    require_as_declared(made)


def test_a_preview_says_that_the_load_is_finished_first_and_refuses_nothing_that_it_puts_back(made: Database) -> None:
    kill_half_way(made.owner, SPEC)
    before = counts(made)
    plans = {props["name"]: provider.check({}, {**props, "preview": True}).inputs["plan"]
             for provider, props in calls(made)}
    assert plans["users"] == plans["devices"] == []
    assert plans["environmental_readings"][0] == unfinished_seeds.PLAN
    assert any("FOREIGN KEY" in line for line in plans["environmental_readings"])
    assert "REFUSED" not in str(plans)
    assert counts(made) == before


def test_up_goes_on_where_the_tables_no_longer_fit_the_load(made: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(made.owner, SPEC)
    made.execute("DROP TABLE notifications")
    assert {"environmental_readings", "notifications"} <= set(up(made))
    told = capfd.readouterr().err
    assert "cannot be finished yet: table notifications: does not exist; apply the schema first, then finish it" in told
    up(made)
    assert counts(made) == EXPECTED
    require_as_declared(made)


def run(database: Database, *words: str) -> Any:
    """`lcdb schema ...` against the database, as its owner."""
    return CliRunner().invoke(gather(), ["schema", *words, "--skip-unsupported"],
                              env={"LCDB_DSN": database.owner.dsn(), "STACK": None, "COLUMNS": "400"})


def test_schema_apply_finishes_a_killed_load_first_and_schema_plan_tells_of_it(made: Database) -> None:
    kill_half_way(made.owner, SPEC)
    plan = run(made, "plan")
    assert plan.exit_code == 2
    assert plan.output.splitlines()[0] == unfinished_seeds.PLAN
    assert "would refuse" not in plan.output
    assert unfinished_seeds.PLAN in json.loads(run(made, "plan", "--json").stdout)["warnings"]
    applied = run(made, "apply")
    assert applied.exit_code == 0
    told = applied.output.splitlines()
    assert len([line for line in told if line.startswith("finished the load of development data that was")]) == 1
    assert told[-1] == "nothing to do: the database is as declared"
    assert counts(made) == EXPECTED
    require_as_declared(made)
    assert run(made, "plan").exit_code == 0


def test_schema_apply_with_json_says_what_it_finished(made: Database) -> None:
    seed(made.owner, SPEC)
    kill_half_way(made.owner, replace(SPEC, number=2), adding=True)
    said = json.loads(run(made, "apply", "--json").stdout)
    assert said["steps"] == []
    assert said["warnings"][0].startswith("finished the load of development data that was interrupted")
    assert json.loads(run(made, "apply", "--json").stdout)["warnings"] == said["warnings"][1:]


def test_a_load_whose_rows_were_removed_by_hand_is_forgotten(made: Database, capfd: pytest.CaptureFixture[str]) -> None:
    kill_half_way(made.owner, SPEC)
    made.execute(f"TRUNCATE {', '.join(TABLES)}")
    assert "environmental_readings" in up(made)
    assert "is forgotten: its rows are gone; its indexes and foreign keys are back" in capfd.readouterr().err
    require_as_declared(made)
