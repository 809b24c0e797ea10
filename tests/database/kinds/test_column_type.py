"""Types of columns change on a real server: what a value loses by it is counted, and never lost without its hazard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, UnsafeChangeError
from schema.model.change.step import Hazard
from schema.model.objects import Column, Hypertable, Index, Table
from tests.support.convergence import converge, require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

# From, to, a value that changes, what an explicit cast makes of it.
LOSSY = [
    ("varchar(200)", "varchar(3)", "'abcdef'", "abc"),
    ("varchar(200)[]", "varchar(3)[]", "ARRAY['abcdef']", "{abc}"),
    ("text", "char(3)", "'abcdef'", "abc"),
    ("text", "name", "repeat('z', 100)", "z" * 63),
    ("text", "integer", "'007'", "7"),
    ("bit varying(10)", "bit varying(3)", "'1111100000'", "111"),
    ("bit(10)", "bit(3)", "'1111100000'", "111"),
    ("inet", "cidr", "'10.1.2.3/24'", "10.1.2.0/24"),
    ("double precision", "real", "1.23456789012345", "1.2345679"),
    ("double precision", "integer", "1.6", "2"),
    ("numeric(10,4)", "numeric(5,1)", "1.26", "1.3"),
    ("numeric", "integer", "1.6", "2"),
    ("numeric", "double precision", "1.23456789012345678901", "1.2345678901234567"),
    ("integer", "boolean", "5", "true"),
    ("interval", "interval(0)", "'1 day 02:03:04.567'", "1 day 02:03:05"),
    ("timetz", "time", "'10:00+09'", "10:00:00"),
    ("timestamptz", "date", "'2026-01-02 13:14:15+00'", "2026-01-02"),
    ("timestamp", "date", "'2026-01-02 13:14:15'", "2026-01-02"),
    ("timestamp", "time", "'2026-01-02 13:14:15'", "13:14:15"),
    ("timestamp(6)", "timestamp(0)", "'2026-01-02 13:14:15.678901'", "2026-01-02 13:14:16"),
    ("json", "jsonb", """'{"a": 1, "a": 2}'""", '{"a": 2}'),
    ("text", "short", "'hello'", "hel"),
]
EXACT = [
    ("varchar(200)", "varchar(3)", "'abc'"), ("varchar(200)[]", "varchar(3)[]", "ARRAY['abc']"),
    ("text", "integer", "'7'"), ("numeric(10,4)", "numeric(5,1)", "1.5000"), ("numeric", "integer", "2"),
    ("inet", "cidr", "'10.1.2.0/24'"), ("double precision", "real", "1.5"), ("bigint", "integer", "7"),
    ("timestamptz", "date", "'2026-01-02 00:00:00+00'"), ("json", "jsonb", """'{"b": 1, "a": 2}'"""),
    ("timestamp(6)", "timestamp(3)", "'2026-01-02 13:14:15.678'"), ("text", "short", "'hel'"),
    ("timestamp", "timestamptz", "'2026-01-02 13:14:15'"), ("integer", "text", "7"),
]


def with_value(database: Database, type_: str, value: str) -> Table:
    database.execute("CREATE DOMAIN short AS varchar(3)", f"CREATE TABLE m (id int, v {type_})",
                     f"INSERT INTO m VALUES (1, {value}), (2, {value}), (3, NULL)")
    return Table("m", (Column("id", "int"), Column("v", type_)))


def typed(table: Table, type_: str) -> Table:
    return replace(table, columns=(*table.columns[:-1], Column("v", type_)))


def values(database: Database) -> set[object]:
    return {row[0] for row in database.execute("SELECT v::text FROM m WHERE v IS NOT NULL")}


@pytest.mark.parametrize(("before", "after", "value", "cast"), LOSSY, ids=[f"{a} to {b}" for a, b, _, _ in LOSSY])
def test_values_that_change_are_counted_and_change_only_by_name(database: Database, before: str, after: str, value: str,
                                                                cast: str) -> None:
    table = with_value(database, before, value)
    old = values(database)
    (step,) = apply.plan(database.owner, [typed(table, after)]).steps
    assert step.hazards == (Hazard.REWRITES_TABLE, Hazard.CHANGES_VALUES)
    assert "the values of 2 rows c" in step.cost
    with pytest.raises(UnsafeChangeError, match=r"m\.v: changes_values is not allowed"):
        converge(database, [typed(table, after)], "rewrites_table")
    assert values(database) == old
    converge(database, [typed(table, after)], "rewrites_table", "changes_values")
    assert values(database) == {cast}


@pytest.mark.parametrize(("before", "after", "value"), EXACT, ids=[f"{a} to {b}" for a, b, _ in EXACT])
def test_a_type_that_every_value_fits_needs_no_such_hazard(database: Database, before: str, after: str,
                                                           value: str) -> None:
    table = with_value(database, before, value)
    (step,) = apply.plan(database.owner, [typed(table, after)]).steps
    assert step.hazards == (Hazard.REWRITES_TABLE,)
    converge(database, [typed(table, after)], "rewrites_table")


@pytest.mark.parametrize(("before", "after", "value", "message"), [
    ("varchar(200)", "varchar(3)", "'abcdef'", "value too long for type character varying"),
    ("varchar(200)[]", "varchar(3)[]", "ARRAY['abcdef']", "value too long for type character varying"),
    ("bit varying(10)", "bit varying(3)", "'1111100000'", "bit string too long"),
    ("numeric(10,4)", "numeric(5,1)", "1.26", "values of v do not fit the new type and would change"),
    ("timestamptz", "date", "'2026-01-02 13:14:15+00'", "values of v do not fit the new type and would change"),
    ("timestamp", "time", "'2026-01-02 13:14:15'", "values of v do not fit the new type and would change")])
def test_a_value_that_is_written_after_the_plan_is_refused(database: Database, before: str, after: str, value: str,
                                                           message: str) -> None:
    table = with_value(database, before, "NULL")

    def write(_: str) -> None:
        database.execute(f"INSERT INTO m VALUES (4, {value})")

    with pytest.raises(ApplyError, match=rf"m\.v: {message}"):
        apply.ensure(database.owner, [typed(table, after)], progress=write,
                     options=apply.Options(allow=frozenset({"rewrites_table"})))
    require_agreement(database, [table])


def test_rows_of_all_chunks_are_counted(database: Database) -> None:
    table = Table("m", (Column("at", "timestamptz", null=False), Column("v", "varchar(20)")),
                  indexes=(Index("m_at_idx", ("at DESC",)),), hypertable=Hypertable("at", "1 day"))
    converge(database, [table])
    database.execute("INSERT INTO m SELECT '2026-01-01'::timestamptz + n * interval '1 hour', 'abcdefgh' "
                     "FROM generate_series(1, 100) n")
    (step,) = apply.plan(database.owner, [typed(table, "varchar(5)")]).steps
    assert step.hazards == (Hazard.REWRITES_TABLE, Hazard.CHANGES_VALUES)
    assert "the values of 100 rows change" in step.cost


def test_rows_under_another_name_are_counted(database: Database) -> None:
    with_value(database, "numeric(10,4)", "1.26")
    wanted = Table("n", (Column("id", "int"), Column("w", "numeric(5,1)", renamed_from="v")), renamed_from="m")
    steps = apply.plan(database.owner, [wanted]).steps
    assert [step.hazards for step in steps][-1] == (Hazard.REWRITES_TABLE, Hazard.CHANGES_VALUES)
    converge(database, [wanted], "rewrites_table", "changes_values")
    assert str(database.execute("SELECT w FROM n WHERE id = 1")[0][0]) == "1.3"
