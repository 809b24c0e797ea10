"""Undeclared objects that others need stay, each with a line that says who needs it; no apply ends in the server's own
"other objects depend on it"."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.model.change.step import Hazard
from schema.model.objects import Check, Column, ForeignKey, Function, Job, Key, Object, Table, Trigger, View
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

DROPS = frozenset(hazard for hazard in Hazard if hazard.startswith("drops_")) - {Hazard.DROPS_CONSTRAINT}
WHOLE = apply.Options(whole_schema=True, allow=DROPS)
PEOPLE = Table("people", (Column("id", "integer", null=False),), keys=(Key("people_pkey", ("id",), primary=True),))
OVER_BASE = View("wanted", "SELECT id FROM base")
# What stands on it is declared as it is.
NEEDED = {
    "view": (["CREATE VIEW base AS SELECT id FROM people"], OVER_BASE, "base is a view", "view wanted needs it"),
    "view through a view": (
        ["CREATE VIEW deep AS SELECT id FROM people", "CREATE VIEW base AS SELECT id FROM deep"], OVER_BASE,
        "deep is a view", "view base (for view wanted) needs it"),
    "materialized view": (["CREATE MATERIALIZED VIEW base AS SELECT id FROM people"], OVER_BASE,
                          "base is a materialized view", "view wanted needs it"),
    "table": (["CREATE TABLE base (id int)"], OVER_BASE, "base is a table", "view wanted needs it"),
    "continuous aggregate": (
        ["CREATE TABLE metrics (at timestamptz NOT NULL)", "SELECT create_hypertable('metrics', 'at')",
         "CREATE MATERIALIZED VIEW base WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS id "
         "FROM metrics GROUP BY 1 WITH NO DATA"], OVER_BASE, "base is an aggregate", "view wanted needs it"),
    "hypertable under an aggregate": (
        ["CREATE TABLE metrics (at timestamptz NOT NULL)", "SELECT create_hypertable('metrics', 'at')",
         "INSERT INTO metrics VALUES ('2024-01-01'), ('2025-01-01')", "DELETE FROM metrics",
         "CREATE MATERIALIZED VIEW base WITH (timescaledb.continuous) AS SELECT time_bucket('1 day', at) AS id "
         "FROM metrics GROUP BY 1 WITH NO DATA"], OVER_BASE, "metrics is a table",
        "continuous aggregate base (for view wanted) needs it"),
    "function of a default": (
        ["CREATE FUNCTION base() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        Table("wanted", (Column("id", "integer", default="base()"),)), "base is a function",
        "column wanted.id needs it"),
    "function of a check": (
        ["CREATE FUNCTION base() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'"],
        Table("wanted", (Column("id", "integer"),), checks=(Check("wanted_check", "id > base()"),)),
        "base is a function", "constraint wanted.wanted_check needs it"),
    "function of a trigger": (
        ["CREATE FUNCTION base() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"],
        Table("wanted", (Column("id", "integer"),), triggers=(Trigger("stamp", "BEFORE INSERT", "base()"),)),
        "base is a function", "trigger wanted.stamp needs it"),
    "sequence": (["CREATE SEQUENCE base"], Table("wanted", (Column("id", "bigint", default="nextval('base')"),)),
                 "base is a sequence", "column wanted.id needs it"),
    "enum": (["CREATE TYPE base AS ENUM ('a')"], Table("wanted", (Column("id", "base[]"),)), "base is an enum",
             "column wanted.id needs it"),
    "domain": (["CREATE DOMAIN base AS int"], Table("wanted", (Column("id", "base"),)), "base is a domain",
               "column wanted.id needs it"),
    "composite type": (["CREATE TYPE base AS (x int)"], Table("wanted", (Column("id", "base"),)),
                       "base is a composite type", "column wanted.id needs it"),
    "collation": (["CREATE COLLATION base (provider = libc, locale = 'C')"],
                  Table("wanted", (Column("id", "text", collation="base"),)), "base is a collation",
                  "column wanted.id needs it"),
    "row type": (["CREATE TABLE base (x int)"], Table("wanted", (Column("id", "base"),)), "base is a table",
                 "column wanted.id needs it"),
    "argument": (["CREATE DOMAIN base AS int"], Function("wanted", "SELECT 1", "x base", "integer", "sql"),
                 "base is a domain", "function wanted needs it"),
    "parent of a foreign key": (
        ["CREATE TABLE base (id int PRIMARY KEY)"],
        Table("wanted", (Column("id", "integer"),), foreign_keys=(ForeignKey("wanted_fk", ("id",), "base"),)),
        "base is a table", "foreign key wanted.wanted_fk needs it"),
    "procedure of a job": (
        ["CREATE PROCEDURE base(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'"],
        Job("wanted", "base", "1 day"), "base is a procedure", "job wanted needs it"),
}


def warning(lines: tuple[str, ...], start: str) -> str:
    (line,) = [line for line in lines if line.startswith(start)]
    return line


@pytest.mark.parametrize("case", NEEDED)
def test_what_a_declared_object_needs_stays_and_the_line_says_who_needs_it(database: Database, case: str) -> None:
    statements, wanted, start, need = NEEDED[case]
    apply.ensure(database.owner, [PEOPLE])
    for moment in ("created by the plan", "there already"):
        if moment == "created by the plan":
            for statement in statements:
                database.execute(statement)
        applied = apply.ensure(database.owner, [PEOPLE, wanted], options=WHOLE)
        line = warning(applied.warnings, f"{start} that is not declared and was left in place, as ")
        assert moment == "created by the plan" or line.partition(" left in place, as ")[2].startswith(need)
        assert [step for step in applied.steps if step.action == "drop"] == []
    assert apply.plan(database.owner, [PEOPLE, wanted], options=WHOLE).steps == ()


def without_drops(database: Database, objects: list[Object], options: apply.Options, *starts: str) -> None:
    """Assert that these stay, by name, and that there is nothing else to do."""
    plan = apply.plan(database.owner, objects, options=options)
    assert plan.steps == ()
    for start in starts:
        warning(plan.warnings, start)


def dropped(database: Database, objects: list[Object], options: apply.Options = WHOLE) -> list[str]:
    """Apply, which proves that nothing is left to do, and return what was dropped, in order."""
    steps = apply.ensure(database.owner, objects, options=options).steps
    return [step.object for step in steps if step.action == "drop"]


def test_what_the_plan_changes_gives_up_what_it_needed_and_that_goes_last(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute(
        "CREATE VIEW base AS SELECT id FROM people", "CREATE TYPE mood AS ENUM ('a')",
        "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE SEQUENCE numbers",
        "CREATE TABLE pet (id int PRIMARY KEY)")
    pet = ForeignKey("pet_fk", ("pet",), "pet")
    columns = (Column("pet", "integer", default="one()"), Column("mood", "mood"),
               Column("number", "bigint", default="nextval('numbers')"))
    rest = Table("rest", columns, foreign_keys=(pet,))
    apply.ensure(database.owner, [PEOPLE, OVER_BASE, rest])
    free = Table("rest", (Column("pet", "integer", default="1"), Column("mood", "text"), Column("number", "bigint")))
    view = View("wanted", "SELECT id FROM people")
    stays = apply.plan(database.owner, [PEOPLE, view, free], options=WHOLE)
    assert [step.object for step in stays.steps if step.action == "drop"] == ["base", "numbers", "one", "mood"]
    warning(stays.warnings,
            "pet is a table that is not declared and was left in place, as foreign key rest.pet_fk needs it")
    everything = replace(WHOLE, allow=WHOLE.allow | {Hazard.DROPS_CONSTRAINT, Hazard.REWRITES_TABLE})
    assert dropped(database, [PEOPLE, view, free], everything) == [
        "rest.pet_fk", "base", "pet", "numbers", "one", "mood"]


def test_a_part_that_stays_keeps_what_it_needs(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE TYPE mood AS ENUM ('a')", "ALTER TABLE people ADD COLUMN mood mood")
    without_column = replace(WHOLE, allow=WHOLE.allow - {Hazard.DROPS_COLUMN})
    without_drops(database, [PEOPLE], without_column,
                  "mood is an enum that is not declared and was left in place, as column people.mood needs it")
    assert dropped(database, [PEOPLE]) == ["people.mood", "mood"]


def test_what_stays_for_its_hazard_or_its_name_keeps_what_it_needs(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE TABLE deep (id int)", "CREATE VIEW middle AS SELECT id FROM deep",
                     "CREATE VIEW upper_one AS SELECT id FROM middle")
    for options in (replace(WHOLE, allow=WHOLE.allow - {Hazard.DROPS_VIEW}),
                    replace(WHOLE, protect=frozenset({"upper_one", "middle"}))):
        without_drops(database, [PEOPLE], options, "upper_one is a view", "middle is a view",
                      "deep is a table that is not declared and was left in place, as view middle needs it; declare it")
    without_drops(database, [PEOPLE], replace(WHOLE, protect=frozenset({"upper_one"})),
                  "middle is a view that is not declared and was left in place, as view upper_one needs it",
                  "deep is a table that is not declared and was left in place, as view middle (for view "
                  "upper_one) needs it")
    assert dropped(database, [PEOPLE]) == ["upper_one", "middle", "deep"]


def test_what_another_schema_needs_stays(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE TABLE deep (id int PRIMARY KEY)", "CREATE SCHEMA away", "CREATE TYPE mood AS ENUM ('a')",
                     "CREATE VIEW away.seen AS SELECT id FROM deep",
                     "CREATE TABLE away.linked (id int REFERENCES deep)", "CREATE TABLE away.felt (mood mood)")
    without_drops(database, [PEOPLE], WHOLE,
                  "deep is a table that is not declared and was left in place, as foreign key "
                  "away.linked.linked_id_fkey and view away.seen need it",
                  "mood is an enum that is not declared and was left in place, as column away.felt.mood needs it")


def test_each_goes_after_those_that_need_it_whichever_is_older(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute(
        "CREATE VIEW older AS SELECT 1 AS id", "CREATE VIEW newer AS SELECT id FROM people",
        "CREATE OR REPLACE VIEW older AS SELECT id FROM newer", "CREATE TABLE holder (id int)",
        "CREATE DOMAIN small AS int", "ALTER TABLE holder ALTER COLUMN id TYPE small",
        "CREATE FUNCTION lowest() RETURNS small LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE holder ALTER COLUMN id SET DEFAULT lowest()", "CREATE TABLE one (id int PRIMARY KEY)",
        "CREATE TABLE two (id int PRIMARY KEY REFERENCES one)", "ALTER TABLE one ADD FOREIGN KEY (id) REFERENCES two",
        "CREATE VIEW policed AS SELECT id FROM one", "CREATE POLICY own ON two USING (EXISTS (SELECT FROM policed))")
    order = dropped(database, [PEOPLE])
    for first, then in (("older", "newer"), ("holder", "lowest"), ("lowest", "small"), ("two", "policed"),
                        ("policed", "one")):
        assert order.index(first) < order.index(then)
    without_drops(database, [PEOPLE], WHOLE)


def test_what_need_each_other_in_a_circle_stay(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE TABLE self (id int)", "CREATE FUNCTION first(self) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                     "ALTER TABLE self ADD CHECK (first(self.*) > 0)")
    without_drops(database, [PEOPLE], WHOLE, "self is a table that is not declared and was left in place, as function",
                  "first is a function that is not declared and was left in place, as constraint self.")


def test_an_extension_stays_that_a_declared_column_needs(database: Database) -> None:
    database.execute("CREATE EXTENSION citext")
    table = Table("words", (Column("word", "citext"),))
    apply.ensure(database.owner, [table])
    without_drops(database, [table], WHOLE,
                  "citext is an extension that is not declared and was left in place, as column words.word needs it")
    plain = Table("words", (Column("word", "text"),))
    everything = replace(WHOLE, allow=WHOLE.allow | {Hazard.REWRITES_TABLE})
    assert dropped(database, [plain], everything) == ["citext"]


def test_a_name_in_a_query_that_the_query_defines_is_no_need(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE TABLE base (id int)")
    own = View("wanted", "WITH base AS (SELECT id FROM people) SELECT id FROM base")
    assert dropped(database, [PEOPLE, own]) == ["base"]


def test_what_a_text_only_seems_to_call_stays_in_that_run_and_goes_in_the_next(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE FUNCTION area(int) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    own = View("hints", "SELECT 'ask for area(1)'::text AS hint")
    applied = apply.ensure(database.owner, [PEOPLE, own], options=WHOLE)
    warning(applied.warnings, "area is a function that is not declared and was left in place, as view hints needs it")
    assert dropped(database, [PEOPLE, own]) == ["area"]


def test_a_job_that_stays_keeps_its_procedure(database: Database) -> None:
    apply.ensure(database.owner, [PEOPLE])
    database.execute("CREATE PROCEDURE tidy(job_id int, config jsonb) LANGUAGE sql AS 'SELECT 1'",
                     "SELECT add_job('tidy', '1 day')")
    without_drops(database, [PEOPLE], replace(WHOLE, allow=WHOLE.allow - {Hazard.DROPS_JOB}), "tidy is a job",
                  "tidy is a procedure that is not declared and was left in place, as job ")
    assert dropped(database, [PEOPLE]) == ["tidy", "tidy"]
