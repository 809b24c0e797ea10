"""`lcdb schema` on real databases: exit statuses, JSON, SQL for psql and Laravel, live databases as declarations."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.declarations import load
from cli.registry import gather
from infra.program.outputs import dsn
from schema import apply
from schema.export.adoption import adopt
from schema.export.plain_sql import dump, laravel_dump
from schema.export.python_source import python
from schema.model.objects import ContinuousAggregate, Job, Table
from tests.support.machine import require
from tests.support.running.servers import Database, create_database, drop_database
from tests.support.schemas.rich import DECLARED

pytestmark = [pytest.mark.servers("official", "debian"), pytest.mark.repeats("debian")]
SKIP = apply.Options(on_unsupported="skip", whole_schema=True)
FILE = Path(__file__).parents[2] / "support" / "schemas" / "rich.py"


def run(database: Database, *arguments: str) -> Any:
    """`lcdb schema ...` against the database, as its owner."""
    login = dsn({**database.owner.to_dict(), "sslmode": "disable"})
    return CliRunner().invoke(gather(), ["schema", *arguments], env={"LCDB_DSN": login, "STACK": None})


def psql(database: Database, text: str, *options: str) -> None:
    """Load SQL as a user would."""
    require("psql")
    login = database.owner
    to = {"PGHOST": login.host, "PGPORT": str(login.port), "PGUSER": login.user, "PGDATABASE": login.database,
          "PGPASSWORD": login.password}
    subprocess.run(["psql", "--no-psqlrc", "--quiet", *options], input=text, env={**os.environ, **to}, text=True,
                   check=True, stdout=subprocess.DEVNULL)


def edition(database: Database) -> Any:
    return "timescale" if database.server.community else "apache"


def test_exported_sql_is_loaded_by_psql_and_leaves_nothing_to_do(database: Database) -> None:
    psql(database, dump(DECLARED, edition(database)), "-v", "ON_ERROR_STOP=1", "-1")
    plan = apply.plan(database.owner, DECLARED, options=SKIP)
    assert plan.render() == []
    assert not [line for line in plan.warnings if "not declared" in line]


def test_laravels_dump_is_loaded_as_laravel_does_it(database: Database) -> None:
    tables = [table for table in DECLARED if isinstance(table, Table) and table.schema == "public"]
    laravel = laravel_dump(DECLARED, {
        "2026_01_01_000000_create_rooms_table": "Schema::create('rooms', function (Blueprint $table) {",
        "2026_01_02_000000_create_jobs_table": "Schema::create('jobs', function (Blueprint $table) {",
        "2026_01_03_000000_both": "Schema::create('events', fn () => 1); Schema::create(\"sessions\", fn () => 1);",
    }, edition(database))
    psql(database, laravel.sql)
    assert database.execute("SELECT migration, batch FROM migrations") == [("2026_01_01_000000_create_rooms_table", 1)]
    assert [remark.split(":")[0] for remark in laravel.remarks] == ["2026_01_03_000000_both"]
    assert apply.plan(database.owner, tables, options=apply.Options(on_unsupported="skip"),
                      context=DECLARED).render() == []


def test_a_broken_dump_for_laravel_is_no_success(database: Database) -> None:
    database.execute("CREATE TABLE rooms (id int)")
    with pytest.raises(subprocess.CalledProcessError):
        psql(database, laravel_dump(DECLARED, {}, edition(database)).sql)


def test_an_adopted_database_plans_empty(database: Database, tmp_path: Path) -> None:
    apply.ensure(database.owner, DECLARED, options=SKIP)
    file = tmp_path / "adopted.py"

    adopted = run(database, "adopt", str(file))

    assert adopted.exit_code == 0, adopted.output
    planned = run(database, "plan", "--declared", str(file))
    assert planned.output == "nothing to do: the database is as declared\n"
    assert planned.exit_code == 0
    kinds = {type(declared) for declared in load(file)}
    assert kinds == {type(declared) for declared in DECLARED} - (
        set() if database.server.community else {ContinuousAggregate, Job})
    assert run(database, "adopt", str(file)).exit_code == 1
    declarations = adopt(database.owner)
    assert declarations.objects == load(file)
    assert max(map(len, python(declarations.objects, "It.", declarations.remarks).splitlines())) <= 120


def test_an_adopted_declaration_makes_the_same_database_again(database: Database) -> None:
    apply.ensure(database.owner, DECLARED, options=SKIP)
    before = adopt(database.owner).objects
    again = create_database(database.server, "t_adopted_again")
    apply.ensure(again.owner, before, options=SKIP)
    assert set(adopt(again.owner).objects) == set(before)
    drop_database(again)


def test_objects_that_no_kind_declares_are_reported(database: Database) -> None:
    database.execute(
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0)", "CREATE SEQUENCE numbers",
        "CREATE TYPE pair AS (a int, b int)", "CREATE TYPE spans AS RANGE (subtype = int)",
        "CREATE TABLE parts (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE kept (id int, note text)", "CREATE MATERIALIZED VIEW frozen AS SELECT 1 AS one",
        "CREATE INDEX a ON kept (id)", "CREATE INDEX b ON kept (id)",
        "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE FUNCTION f(a text) RETURNS int LANGUAGE sql AS 'SELECT 1'", 'CREATE TABLE "dotted.name" (id int)')
    adopted = adopt(database.owner)
    assert [declared.full_name for declared in adopted.objects] == [
        "positive", "numbers", "pair", "kept", "frozen", "f", "f"]
    assert len(adopted.objects[3].indexes) == 1  # type: ignore[union-attr]
    for words in ("spans: a range type", "parts: a partitioned table",
                  "kept.b: the same index as a", "name 'dotted.name' has a dot"):
        assert [line for line in adopted.remarks if words in line], words


def test_exit_statuses_are_0_without_changes_2_with_changes_and_1_for_errors(database: Database) -> None:
    options = ("--declared", str(FILE), "--skip-unsupported")
    planned = run(database, "plan", *options, "--json")
    output = json.loads(planned.output)
    assert planned.exit_code == 2
    assert set(output) == {"steps", "fingerprint", "warnings"}
    assert {frozenset(step) for step in output["steps"]} == {frozenset({"object", "sql", "why", "hazards"})}
    assert run(database, "check", *options).exit_code == 2
    wrong = run(database, "apply", *options, "--fingerprint", "0123456789abcdef")
    assert "the database has moved since" in str(wrong.exception)
    assert run(database, "apply", *options, "--fingerprint", output["fingerprint"]).exit_code == 0
    assert run(database, "check", *options).exit_code == 0
    assert run(database, "plan", *options).exit_code == 0
    assert run(database, "apply", *options, "--json").exit_code == 0
    assert run(database, "plan", "--declared", "nowhere.py").exit_code == 1


def test_undeclared_objects_are_reported_and_dropped_only_where_allowed_and_not_protected(
        database: Database, tmp_path: Path) -> None:
    database.execute("CREATE TABLE kept (id int)", "CREATE TABLE gone (id int)", "INSERT INTO gone VALUES (1)")
    file = tmp_path / "few.py"
    file.write_text("from schema.model.objects import Column, Table\n\ndef declared():\n"
                    "    return [Table('one', (Column('id', 'int'),))]\n")
    options = ("--declared", str(file))
    run(database, "apply", *options)
    result = run(database, "plan", *options)
    assert result.exit_code == 0
    assert "gone is a table that is not declared and was left in place" in result.output
    allowed = (*options, "--protect", "kept", "--allow", "drops_table", "--allow", "without_backup")
    result = run(database, "plan", *allowed)
    assert result.exit_code == 2
    assert "DROP TABLE gone" in result.output
    assert "kept is a table that is not declared, and protected" in result.output
    assert run(database, "apply", *allowed).exit_code == 0
    assert database.execute("SELECT to_regclass('gone'), to_regclass('kept')::text") == [(None, "kept")]
