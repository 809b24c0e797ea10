"""Aggregate functions on a real server: replaced where they can be, created again with their grants where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import DeclarationError, UnsafeChangeError
from schema.export.adoption import adopt
from schema.model.objects import Aggregate, Function, Object, View, ViewColumn
from tests.support.convergence import converge, require_recreated
from tests.support.running.servers import Database

PLUS = Function("plus", "SELECT coalesce(s, 0) + x", "s float8, x float8", "float8", language="sql",
                volatility="immutable", parallel="safe")
HALF = Function("half", "SELECT s / 2", "s float8", "float8", language="sql", volatility="immutable", parallel="safe")
TOTAL = Aggregate("total", "double precision", sfunc="plus", stype="float8", finalfunc="half", combinefunc="float8pl",
                  initcond="0", parallel="safe", comment="Half the sum")
ALL: list[Object] = [PLUS, HALF, TOTAL]
NUMBERS = "FROM (VALUES (2.0::float8), (4.0)) v (x)"


def called(database: Database, call: str = f"total(x) {NUMBERS}") -> object:
    return database.execute(f"SELECT {call}")[0][0]


def test_an_aggregate_function_is_made_and_read_back(database: Database) -> None:
    counted = Aggregate("counted", "*", sfunc="int8inc", stype="bigint", initcond="0")
    least = Aggregate("least_one", "int", sfunc="int4smaller", stype="int", sortop="<")
    middle = Aggregate("middle", "float8 ORDER BY float8", sfunc="plus", stype="float8", finalfunc="halves")
    halves = Function("halves", "SELECT s / 2 * part", "s float8, part float8", "float8", language="sql")
    moving = Aggregate("moving", "float8", sfunc="float8pl", stype="float8", initcond="0",
                       msfunc="float8pl", minvfunc="float8mi", mstype="float8", minitcond="0", sspace=64)
    converge(database, [*ALL, counted, least, halves, middle, moving])
    assert (called(database), called(database, f"counted(*) {NUMBERS}")) == (3.0, 2)
    assert called(database, f"middle(0.5) WITHIN GROUP (ORDER BY x) {NUMBERS}") == 1.5


def test_one_of_the_name_that_an_extension_s_has_is_its_own_object(database: Database) -> None:
    # TimescaleDB has last(anyelement, "any") and the functions time_bucket, in this schema.
    ours = [Function("last_of_two", "SELECT $2", "anyelement, anyelement", "anyelement", language="sql"),
            Aggregate("last", "anyelement", sfunc="last_of_two", stype="anyelement"),
            Function("time_bucket", "SELECT $1", "text", "text", language="sql")]
    converge(database, ours)
    assert [(type(value), value.name) for value in adopt(database.owner).objects] == [
        (type(value), value.name) for value in ours]


@pytest.mark.servers("official")
def test_one_whose_state_is_internal_takes_a_superuser_once_and_anybody_may_plan_it(database: Database) -> None:
    mean = Aggregate("averaged", "numeric", sfunc="numeric_avg_accum", stype="internal", finalfunc="numeric_avg",
                     combinefunc="numeric_avg_combine", serialfunc="numeric_avg_serialize",
                     deserialfunc="numeric_avg_deserialize", parallel="safe")
    view = View("means", "SELECT averaged(x) AS m FROM (VALUES (1.5), (2.5)) v (x)")
    apply.ensure(database.admin, [mean])
    assert adopt(database.owner).objects == (replace(mean, owner=database.admin.user),)
    converge(database, [mean, view])
    assert database.execute("SELECT m FROM means") == [(2.0,)]


@pytest.mark.servers("official")
@pytest.mark.parametrize("change", [{"initcond": "10"}, {"finalfunc": None}, {"parallel": "unsafe"},
                                    {"combinefunc": None}, {"sspace": 32}, {"finalfunc_modify": "shareable"}])
def test_what_can_be_replaced_is_replaced_and_keeps_its_identity(database: Database, change: dict[str, object]) -> None:
    converge(database, ALL)
    database.execute("GRANT EXECUTE ON FUNCTION total(float8) TO pg_monitor")
    state = "SELECT oid, proacl::text FROM pg_proc WHERE proname = 'total'"
    before = database.execute(state)
    steps = converge(database, [PLUS, HALF, replace(TOTAL, **change)])  # type: ignore[arg-type]
    assert len(steps) == 1
    assert steps[0].startswith("CREATE OR REPLACE AGGREGATE total(double precision)")
    assert database.execute(state) == before
    assert len(converge(database, ALL)) == 1


@pytest.mark.servers("official")
def test_what_cannot_be_replaced_is_made_again_with_its_grants_unless_something_stands_on_it(
        database: Database) -> None:
    converge(database, ALL)
    database.execute("REVOKE ALL ON FUNCTION total(float8) FROM PUBLIC",
                     "GRANT EXECUTE ON FUNCTION total(float8) TO pg_monitor")
    whole = replace(TOTAL, arguments="integer", sfunc="int4_sum", stype="bigint", finalfunc=None, combinefunc=None,
                    initcond=None)
    with pytest.raises(UnsafeChangeError, match="total: drops_aggregate_function is not allowed"):
        apply.ensure(database.owner, [PLUS, HALF, whole])
    steps = converge(database, [PLUS, HALF, whole], "drops_aggregate_function")
    assert steps[0].startswith("DROP AGGREGATE total(double precision); CREATE AGGREGATE total(integer)")
    assert database.execute("SELECT grantee::regrole::text FROM pg_proc, aclexplode(proacl) WHERE proname = 'total' "
                            "AND grantee <> proowner") == [("pg_monitor",)]
    view = View("totals", "SELECT total(x) AS t FROM (VALUES (1)) v (x)")
    converge(database, [PLUS, HALF, whole, view])
    with pytest.raises(UnsafeChangeError, match="rule _RETURN on view totals depends on it"):
        apply.plan(database.owner, [*ALL, view])


@pytest.mark.servers("official")
def test_renamed_drifted_dropped_undeclared_and_adopted(database: Database) -> None:
    converge(database, ALL)
    found = adopt(database.owner)
    assert [value.name for value in found.objects if isinstance(value, Aggregate)] == ["total"]
    assert found.remarks == ()
    summed = replace(TOTAL, name="summed", renamed_from="total")
    assert converge(database, [PLUS, HALF, summed]) == ["ALTER AGGREGATE total(double precision) RENAME TO summed"]
    converge(database, [PLUS, HALF, replace(TOTAL, renamed_from="summed")])
    database.execute("COMMENT ON AGGREGATE total(float8) IS NULL")
    assert len(converge(database, ALL)) == 1
    require_recreated(database, ALL, TOTAL, "DROP AGGREGATE total(float8)")
    warnings = apply.plan(database.owner, ALL[:2], options=apply.Options(whole_schema=True)).warnings
    assert "total is an aggregate function that is not declared" in warnings[0]
    assert converge(database, ALL[:2], "drops_aggregate_function", whole_schema=True) == [
        "DROP AGGREGATE total(double precision)"]


@pytest.mark.servers("official")
def test_a_function_is_renamed_and_what_is_made_of_it_follows(database: Database) -> None:
    view = View("written", "SELECT total(x) AS t FROM (VALUES (1.0::float8)) v (x)", columns=(
        ViewColumn("t", "plus(1, 2)"),))
    converge(database, [*ALL, view])
    added = replace(PLUS, name="added", renamed_from="plus")
    total = replace(TOTAL, name="halved", renamed_from="total", sfunc="added")
    steps = converge(database, [added, HALF, total, replace(
        view, query=view.query.replace("total", "halved"), columns=(ViewColumn("t", "added(1, 2)"),))])
    assert steps == ["ALTER FUNCTION plus(s double precision, x double precision) RENAME TO added",
                     "ALTER AGGREGATE total(double precision) RENAME TO halved"]


@pytest.mark.servers("official")
def test_what_cannot_be_is_said_before_any_server_is_asked(database: Database) -> None:
    for wrong, text in ((replace(TOTAL, msfunc="float8pl"), "total: minvfunc, mstype is lacking"),
                        (replace(TOTAL, finalfunc_modify="never"), "total: finalfunc_modify 'never' is not known")):
        with pytest.raises(DeclarationError, match=text):
            apply.plan(database.owner, [PLUS, HALF, wrong])
