"""Collations on real servers: made before what sorts by them, made again only while nothing does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import Collation, Column, Domain, Object, Table, View
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")
GERMAN = Collation("german", locale="de-DE", comment="Umlauts beside their vowels")
ANY_CASE = Collation("any_case", schema="sorts", locale="und-u-ks-level2", deterministic=False)
NAME = Domain("name_of", type="varchar(20)", collation="sorts.any_case")
PEOPLE = Table("people", (Column("name", "name_of"),))
SORTED = View("sorted_people", "SELECT name FROM people ORDER BY name COLLATE german")


@pytest.mark.servers("official", "debian")
def test_collations_are_created_before_what_sorts_by_them(database: Database) -> None:
    made = converge(database, [GERMAN, ANY_CASE, NAME, PEOPLE, SORTED])
    assert made[:4] == ["CREATE SCHEMA sorts", "CREATE COLLATION german (provider = icu, locale = 'de-DE')",
                        "COMMENT ON COLLATION german IS 'Umlauts beside their vowels'",
                        "CREATE COLLATION sorts.any_case (provider = icu, locale = 'und-u-ks-level2', "
                        "deterministic = false)"]
    database.execute("INSERT INTO people VALUES ('Zoe'), ('Äne'), ('ADA')")
    assert database.execute("SELECT name::text FROM sorted_people") == [("ADA",), ("Äne",), ("Zoe",)]
    assert database.execute("SELECT count(*) FROM people WHERE name = 'ada'") == [(1,)]


def test_another_locale_makes_it_again_where_nothing_uses_it_and_is_refused_else(database: Database) -> None:
    converge(database, [GERMAN])
    swedish = replace(GERMAN, locale="sv-SE")
    assert converge(database, [swedish]) == [
        "DROP COLLATION german; CREATE COLLATION german (provider = icu, locale = 'sv-SE')",
        "COMMENT ON COLLATION german IS 'Umlauts beside their vowels'"]
    converge(database, [swedish, Domain("word", type="text", collation="german")])
    with pytest.raises(UnsupportedError, match=r"german: it is CREATE COLLATION german .*, which PostgreSQL cannot "
                                               r"change in place, and type word stands on it; declare it as it is"):
        apply.plan(database.owner, [GERMAN, Domain("word", type="text", collation="german")])


@pytest.mark.parametrize("collation", [
    Collation("c", locale="C", provider="libc"), Collation("c", locale="C", provider="libc", character_types="POSIX"),
    Collation("c", locale="en-US", rules="& a < g")])
def test_every_provider_reads_back_as_declared(database: Database, collation: Collation) -> None:
    converge(database, [collation])
    assert adopt(database.owner).objects == (collation,)


def test_it_is_renamed_in_place(database: Database) -> None:
    converge(database, [GERMAN])
    assert converge(database, [replace(GERMAN, name="german_words", renamed_from="german")]) == [
        "ALTER COLLATION german RENAME TO german_words"]


def test_drift_is_repaired_and_a_dropped_collation_is_made_again(database: Database) -> None:
    converge(database, [GERMAN])
    database.execute("COMMENT ON COLLATION german IS 'other'")
    assert converge(database, [GERMAN]) == ["COMMENT ON COLLATION german IS 'Umlauts beside their vowels'"]
    require_recreated(database, [GERMAN], GERMAN, "DROP COLLATION german")


def test_an_undeclared_collation_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [GERMAN])
    database.execute("CREATE COLLATION other (provider = icu, locale = 'fr')")
    assert apply.plan(database.owner, [GERMAN], options=apply.Options(whole_schema=True)).warnings == (
        "other is a collation that is not declared and was left in place; declare it, or allow drops_collation to drop "
        "it",)
    assert converge(database, [GERMAN], "drops_collation", whole_schema=True) == ["DROP COLLATION other"]


def test_collations_are_adopted_with_what_sorts_by_them(database: Database) -> None:
    objects: list[Object] = [GERMAN, ANY_CASE, NAME, PEOPLE]
    converge(database, objects)
    found = adopt(database.owner)
    assert (set(found.objects), found.remarks) == (set(objects), ())
    require_agreement(database, found.objects)


@pytest.mark.parametrize(("wrong", "message"), [
    (Collation("c", locale="x", provider="glibc"), "c: provider 'glibc' is not known"),
    (Collation("c", locale="C", provider="libc", deterministic=False), "c: deterministic is False, which icu alone"),
    (Collation("c", locale="C", character_types="C"), "c: character_types is declared, which libc alone takes"),
    (Collation("c", locale="C", provider="libc", rules="& a < b"), "c: rules are declared, which icu alone takes"),
    (Collation("c", locale="de", rules="& nothing ?"), "c: the server cannot create it: could not open collator")])
def test_what_no_provider_takes_is_refused(database: Database, wrong: Collation, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        apply.plan(database.owner, [wrong])


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [GERMAN])
    survives_crashes(database, [GERMAN], [replace(GERMAN, locale="fr", comment="Other")],
                     reset=lambda: database.execute("DROP COLLATION german"))
