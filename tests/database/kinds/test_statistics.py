"""Extended statistics on a real server: made, read back, made again where they differ, and known to the planner."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.export.adoption import adopt
from schema.model.objects import Column, Function, Hypertable, Index, Statistics, Table
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official", "embedded")
PLACES = Table("places", (Column("city", "text"), Column("zip", "text"), Column("Mixed", "integer")))
TOGETHER = Statistics("places_city_zip", "places", ("zip", "city"), comment="A zip code tells the city")
CREATED = "CREATE STATISTICS places_city_zip (ndistinct, dependencies, mcv) ON zip, city FROM places"


@pytest.mark.servers("official", "debian", "embedded")
def test_statistics_are_created_read_back_and_filled_by_analyze(database: Database) -> None:
    assert converge(database, [PLACES, TOGETHER])[1:] == [
        CREATED, "COMMENT ON STATISTICS places_city_zip IS 'A zip code tells the city'"]
    database.execute("INSERT INTO places SELECT 'city ' || n / 10, 'zip ' || n FROM generate_series(1, 100) n",
                     "ANALYZE places")
    assert database.execute("SELECT attnames::text, dependencies IS NOT NULL FROM pg_stats_ext") == [
        ("{city,zip}", True)]
    require_agreement(database, [PLACES, TOGETHER])


@pytest.mark.parametrize(("wanted", "statement"), [
    (replace(TOGETHER, kinds=("mcv",)), "CREATE STATISTICS places_city_zip (mcv) ON zip, city FROM places"),
    (replace(TOGETHER, columns=("city", "Mixed")),
     'CREATE STATISTICS places_city_zip (ndistinct, dependencies, mcv) ON city, "Mixed" FROM places')])
def test_changed_statistics_are_recreated_with_their_comment(
        database: Database, wanted: Statistics, statement: str) -> None:
    converge(database, [PLACES, TOGETHER])
    assert converge(database, [PLACES, wanted]) == [
        f"DROP STATISTICS places_city_zip; {statement}",
        "COMMENT ON STATISTICS places_city_zip IS 'A zip code tells the city'"]


EXPRESSIONS = Statistics("by words", "places", ("Mixed",), ("mcv",), (
    "lower(city)", '("Mixed")+(1)', "CASE WHEN zip IN ('1, 2', ' FROM ') THEN extract(year FROM now()::date) END"))


@pytest.mark.servers("official", "debian")
def test_expressions_are_created_read_back_and_recreated_where_they_differ(database: Database) -> None:
    alone = Statistics("zips", "places", expressions=("length(zip)",))
    together = Statistics("both", "places", ("city", "zip"), expressions=("length(zip)", "upper(city)"))
    converge(database, [PLACES, EXPRESSIONS, alone, together])
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    require_agreement(database, list(adopted.objects))
    assert converge(database, [PLACES, replace(EXPRESSIONS, expressions=("upper(city)",)), alone, together]) == [
        'DROP STATISTICS "by words"; CREATE STATISTICS "by words" (mcv) ON "Mixed", (upper(city)) FROM places']
    assert converge(database, [PLACES, replace(alone, expressions=("length(city)",))]) == [
        "DROP STATISTICS zips; CREATE STATISTICS zips ON (length(city)) FROM places"]


@pytest.mark.servers("official", "debian")
def test_expressions_in_other_words_or_another_order_are_the_same(database: Database) -> None:
    converge(database, [PLACES, EXPRESSIONS])
    other = [text.replace("lower", "LOWER").replace('("Mixed")+(1)', '"Mixed" + 1') for text in EXPRESSIONS.expressions]
    require_agreement(database, [PLACES, replace(EXPRESSIONS, expressions=tuple(reversed(other)))])


@pytest.mark.servers("official", "debian")
def test_expressions_follow_a_renamed_function_and_table(database: Database) -> None:
    shorter = Function("shorter", "SELECT left($1, 2)", "text", "text", language="sql", volatility="immutable")
    kept = Statistics("kept", "places", expressions=("shorter(city)",))
    converge(database, [shorter, PLACES, kept])
    converge(database, [replace(shorter, name="brief", renamed_from="shorter"),
                        replace(PLACES, name="sites", renamed_from="places"),
                        replace(kept, table="sites", expressions=("brief(city)",))])


def test_the_order_of_columns_and_kinds_makes_no_difference(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    require_agreement(database, [
        PLACES, replace(TOGETHER, columns=("city", "zip"), kinds=("mcv", "ndistinct", "dependencies"))])


def test_statistics_are_renamed_and_follow_their_renamed_table(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    sites = replace(PLACES, name="sites", renamed_from="places")
    named = replace(TOGETHER, name="sites_city_zip", renamed_from="places_city_zip", table="sites")
    assert converge(database, [sites, named]) == [
        "ALTER TABLE places RENAME TO sites", "ALTER STATISTICS places_city_zip RENAME TO sites_city_zip"]


def test_drift_is_repaired_and_dropped_statistics_are_recreated(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    database.execute("COMMENT ON STATISTICS places_city_zip IS 'other'")
    assert converge(database, [PLACES, TOGETHER]) == [
        "COMMENT ON STATISTICS places_city_zip IS 'A zip code tells the city'"]
    require_recreated(database, [PLACES, TOGETHER], TOGETHER, "DROP STATISTICS places_city_zip")


def test_statistics_and_their_hypertable_can_be_in_different_schemas(database: Database) -> None:
    readings = Table("readings", (Column("at", "timestamptz", null=False), Column("a", "int"), Column("b", "int")),
                     schema="measured", hypertable=Hypertable("at", "7 days"), indexes=(Index("readings_at", ("at",)),))
    converge(database, [readings, Statistics("a_b", "measured.readings", ("a", "b"), schema="learnt")])


def test_undeclared_statistics_are_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    options = apply.Options(whole_schema=True)
    warnings = apply.plan(database.owner, [PLACES], options=options).warnings
    assert "places_city_zip is a statistics object that is not declared and was left in place; declare it, or allow " \
           "drops_statistics to drop it" in warnings
    assert converge(database, [PLACES], "drops_statistics", whole_schema=True) == ["DROP STATISTICS places_city_zip"]


def test_one_object_is_dropped_alone_and_only_where_that_is_allowed(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    with pytest.raises(apply.UnsafeChangeError, match="drops_statistics is not allowed"):
        apply.drop(database.owner, TOGETHER)
    assert apply.drop(database.owner, TOGETHER, options=apply.Options(allow=frozenset({"drops_statistics"})))
    assert not apply.drop(database.owner, TOGETHER, options=apply.Options(allow=frozenset({"drops_statistics"})))


def test_statistics_are_adopted_with_their_expressions(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    database.execute("CREATE STATISTICS lower_zip ON lower(city), zip FROM places")
    adopted = adopt(database.owner, ["public"])
    assert adopted.remarks == ()
    assert adopted.objects == (PLACES, replace(TOGETHER, columns=("city", "zip")), Statistics(
        "lower_zip", "places", ("zip",), expressions=("lower(city)",)))


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [PLACES, TOGETHER])
    survives_crashes(database, [PLACES, TOGETHER], [PLACES, replace(TOGETHER, kinds=("mcv",), comment="Other")],
                     reset=lambda: database.execute("DROP STATISTICS places_city_zip"))
