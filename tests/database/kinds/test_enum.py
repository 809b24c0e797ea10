"""Enums on a real server: values come in their places and change their names in place; what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsupportedError
from schema.model.objects import Check, Column, Enum, Table, ValueRename
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

MOOD = Enum("mood", ("sad", "fine"), comment="How somebody is")
PEOPLE = Table("people", (Column("name", "text"), Column("mood", "mood", default="'fine'")),
               checks=(Check("not_sad", "mood <> 'sad'"),))


def values(database: Database, name: str = "mood") -> list[str]:
    return [str(value) for (value,) in database.execute(f"SELECT unnest(enum_range(NULL::{name}))::text")]


def test_an_enum_is_created_and_read_back_with_its_users(database: Database) -> None:
    assert converge(database, [MOOD, PEOPLE])[:2] == [
        "CREATE TYPE mood AS ENUM ('sad', 'fine')", "COMMENT ON TYPE mood IS 'How somebody is'"]


@pytest.mark.servers("official")
@pytest.mark.parametrize(("wanted", "steps"), [
    (("sad", "fine", "great"), ["ALTER TYPE mood ADD VALUE 'great' AFTER 'fine'"]),
    (("awful", "sad", "fine"), ["ALTER TYPE mood ADD VALUE 'awful' BEFORE 'sad'"]),
    (("awful", "bad", "sad", "so-so", "fine"), [
        "ALTER TYPE mood ADD VALUE 'awful' BEFORE 'sad'", "ALTER TYPE mood ADD VALUE 'bad' AFTER 'awful'",
        "ALTER TYPE mood ADD VALUE 'so-so' AFTER 'sad'"]),
])
def test_values_are_added_at_their_positions(database: Database, wanted: tuple[str, ...], steps: list[str]) -> None:
    converge(database, [MOOD, PEOPLE])
    database.execute("INSERT INTO people SELECT 'Ada', 'fine'")
    assert converge(database, [replace(MOOD, values=wanted), PEOPLE]) == steps
    assert values(database) == list(wanted)


@pytest.mark.servers("official")
def test_a_new_value_can_be_a_default_in_the_same_run(database: Database) -> None:
    converge(database, [MOOD, PEOPLE])
    great = replace(PEOPLE, columns=(PEOPLE.columns[0], replace(PEOPLE.columns[1], default="'great'")))
    assert converge(database, [replace(MOOD, values=("sad", "fine", "great")), great]) == [
        "ALTER TYPE mood ADD VALUE 'great' AFTER 'fine'", "ALTER TABLE people ALTER COLUMN mood SET DEFAULT 'great'"]


@pytest.mark.servers("official")
def test_a_value_is_renamed_in_place_and_rows_keep_it(database: Database) -> None:
    converge(database, [MOOD, PEOPLE])
    database.execute("INSERT INTO people (name) VALUES ('Ada')")
    renamed = replace(MOOD, values=("sad", "ok"), renames=(ValueRename("fine", "ok"),))
    people = replace(PEOPLE, columns=(PEOPLE.columns[0], replace(PEOPLE.columns[1], default="'ok'")))
    assert converge(database, [renamed, people]) == ["ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'"]
    assert database.execute("SELECT mood::text FROM people") == [("ok",)]


@pytest.mark.servers("official")
def test_an_enum_is_renamed_and_what_uses_it_follows(database: Database) -> None:
    converge(database, [MOOD, PEOPLE])
    feeling = replace(MOOD, name="feeling", renamed_from="mood")
    people = replace(PEOPLE, columns=(PEOPLE.columns[0], replace(PEOPLE.columns[1], type="feeling")))
    assert converge(database, [feeling, people]) == ["ALTER TYPE mood RENAME TO feeling"]


@pytest.mark.servers("official")
@pytest.mark.parametrize(("wanted", "message"), [
    (("sad",), r"mood: value 'fine' is no longer declared, and PostgreSQL cannot drop .*; declare it again"),
    (("fine", "sad"), r"mood: the values are in the order \(sad, fine\), declared as \(fine, sad\)")])
def test_what_postgresql_cannot_do_is_refused_before_anything_is_done(
        database: Database, wanted: tuple[str, ...], message: str) -> None:
    other = Table("other", (Column("a", "int"),))
    converge(database, [other, MOOD])
    with pytest.raises(UnsupportedError, match=message):
        apply.ensure(database.owner, [replace(other, comment="other"), replace(MOOD, values=wanted)])
    require_agreement(database, [other, MOOD])


@pytest.mark.servers("official")
def test_a_column_goes_from_one_enum_to_another_by_the_names_of_the_values(database: Database) -> None:
    converge(database, [MOOD, PEOPLE])
    database.execute("INSERT INTO people (name) VALUES ('Ada')")
    narrow = Enum("narrow_mood", ("fine", "sad"))
    people = replace(PEOPLE, columns=(PEOPLE.columns[0], replace(PEOPLE.columns[1], type="narrow_mood")), checks=())
    converge(database, [narrow, people], "rewrites_table", "drops_constraint", "drops_type", whole_schema=True)
    assert database.execute("SELECT mood::text FROM people") == [("fine",)]
    assert database.execute("SELECT to_regtype('mood')") == [(None,)]


@pytest.mark.servers("official")
def test_drift_is_repaired_and_a_dropped_enum_is_recreated(database: Database) -> None:
    converge(database, [MOOD])
    database.execute("COMMENT ON TYPE mood IS 'other'")
    assert converge(database, [MOOD]) == ["COMMENT ON TYPE mood IS 'How somebody is'"]
    require_recreated(database, [MOOD], MOOD, "DROP TYPE mood")


@pytest.mark.servers("official")
def test_an_undeclared_enum_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [MOOD])
    database.execute("CREATE TYPE other AS ENUM ('a')")
    options = apply.Options(whole_schema=True)
    assert "other is an enum that is not declared" in apply.plan(database.owner, [MOOD], options=options).warnings[0]
    assert converge(database, [MOOD], "drops_type", whole_schema=True) == ["DROP TYPE other"]


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [MOOD])
    after = Enum("mood", ("awful", "sad", "ok", "great"), renames=(ValueRename("fine", "ok"),), comment="Other")
    survives_crashes(database, [MOOD], [after], reset=lambda: database.execute("DROP TYPE mood"))


@pytest.mark.servers("official")
def test_an_enum_lives_in_a_schema_of_its_own(database: Database) -> None:
    mood = replace(MOOD, schema="moods")
    people = replace(PEOPLE, columns=(PEOPLE.columns[0], replace(PEOPLE.columns[1], type="moods.mood")))
    converge(database, [mood, people])
    converge(database, [replace(mood, values=("sad", "fine", "great")), people])
