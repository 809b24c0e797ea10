"""Statistics targets of the expressions in indexes, on real servers: read, set alone, kept by whatever builds anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.declarations import run
from schema import apply
from schema.export.adoption import adopt
from schema.export.plain_sql import dump
from schema.export.python_source import python
from schema.model.objects import (
    Column,
    ContinuousAggregate,
    Exclusion,
    Hypertable,
    Index,
    MaterializedView,
    Object,
    Table,
)
from tests.support.convergence import converge, require_agreement, survives_crashes
from tests.support.running.servers import Database

TERMS = Index("parts_terms", ("lower(name)", "n", "(n / 10) DESC"), statistics=(200, -1, 300))
PLAIN = Table("parts", (Column("t", "timestamptz", null=False), Column("n", "int"), Column("name", "text")),
              indexes=(TERMS,))
HYPER = replace(PLAIN, hypertable=Hypertable("t", "1 day"))
TABLES = pytest.mark.parametrize("table", [PLAIN, HYPER], ids=["plain", "hypertable"])
ONCE = Exclusion("parts_once", ("(n + 1) WITH =", "name WITH ="), method="btree", statistics=(150,))
VIEW = MaterializedView("counted", "SELECT name, count(*) AS number FROM parts GROUP BY name", indexes=(
    Index("counted_name", ("lower(name)",), statistics=(400,)),))
DAILY = ContinuousAggregate(
    "daily", "SELECT time_bucket('1 day', t) AS day, name, count(*) AS number FROM parts GROUP BY day, name", indexes=(
        Index("daily_name", ("lower(name)", "day"), statistics=(120,)),))
EVERYTHING: list[Object] = [replace(PLAIN, exclusions=(ONCE,)), VIEW]
ROWS = "INSERT INTO parts SELECT now() - n * interval '1 day', n, 'n' || n FROM generate_series(1, 3) n"
TARGETS = ("SELECT attrelid::regclass::text, array_agg(coalesce(attstattarget, -1)::int ORDER BY attnum) FROM "
           "pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE relname LIKE 'parts\\_%' AND relkind = 'i' "
           "GROUP BY 1 ORDER BY 1")


def having(table: Table, *indexes: Index) -> list[Table]:
    return [replace(table, indexes=indexes)]


@TABLES
def test_a_target_alone_is_one_statement(database: Database, table: Table) -> None:
    assert converge(database, [table])[-1] == (
        "ALTER INDEX parts_terms ALTER COLUMN 1 SET STATISTICS 200, ALTER COLUMN 3 SET STATISTICS 300")
    database.execute(ROWS)
    assert converge(database, having(table, replace(TERMS, statistics=(250, -1, 300)))) == [
        "ALTER INDEX parts_terms ALTER COLUMN 1 SET STATISTICS 250"]
    assert converge(database, having(table, replace(TERMS, statistics=()))) == [
        "ALTER INDEX parts_terms ALTER COLUMN 1 SET STATISTICS -1, ALTER COLUMN 3 SET STATISTICS -1"]
    assert apply.plan(database.owner, having(table, replace(TERMS, statistics=(-1, -1, -1)))).steps == ()
    database.execute("ALTER INDEX parts_terms ALTER COLUMN 3 SET STATISTICS 0")
    (drift,) = apply.plan(database.owner, [table]).steps
    assert drift.why == "its statistics targets are default, default, 0"
    assert apply.plan(database.owner, having(table, replace(TERMS, statistics=(-1, -1, 0)))).steps == ()


@pytest.mark.servers("official")
@TABLES
def test_they_are_set_again_on_an_index_that_is_built_anew_or_renamed(database: Database, table: Table) -> None:
    converge(database, [table])
    database.execute(ROWS)
    steps = converge(database, having(table, replace(TERMS, columns=("lower(name)", "n DESC", "(n / 10) DESC"))))
    assert [step.split()[0] for step in steps] == ["CREATE", "DROP", "ALTER"]
    named = having(table, replace(TERMS, name="parts_other", columns=("lower(name)", "n DESC", "(n / 10) DESC"),
                                  statistics=(200, -1, 301)))
    assert converge(database, named) == ["ALTER INDEX parts_terms RENAME TO parts_other",
                                         "ALTER INDEX parts_other ALTER COLUMN 3 SET STATISTICS 301"]


@pytest.mark.servers("official")
def test_a_new_type_takes_them_from_no_index_declared_or_not(database: Database) -> None:
    exclusive = [replace(PLAIN, exclusions=(ONCE,))]
    converge(database, exclusive)
    database.execute(ROWS, "CREATE INDEX parts_mine ON parts ((n + 2))",
                     "ALTER INDEX parts_mine ALTER COLUMN 1 SET STATISTICS 99")
    before = database.execute(TARGETS)
    assert before == [("parts_mine", [99]), ("parts_once", [150, -1]), ("parts_terms", [200, -1, 300])]
    wider = [replace(PLAIN, exclusions=(ONCE,), columns=(PLAIN.columns[0], Column("n", "bigint"), PLAIN.columns[2]))]
    converge(database, wider, "rewrites_table", "blocks_writes")
    assert database.execute(TARGETS) == before


@pytest.mark.servers("official")
@TABLES
def test_a_crash_leaves_what_the_next_run_sets(database: Database, table: Table) -> None:
    def again() -> None:
        database.execute("DROP TABLE parts")
        converge(database, [table])
        database.execute(ROWS)

    converge(database, [table])
    database.execute(ROWS)
    survives_crashes(database, [table], having(table, replace(TERMS, columns=("lower(name)", "n", "(n / 9)"))),
                     reset=again)


@pytest.mark.servers("official")
def test_those_of_exclusion_constraints_and_materialized_views_too(database: Database) -> None:
    converge(database, EVERYTHING)
    database.execute(ROWS, "REFRESH MATERIALIZED VIEW counted", "CREATE INDEX parts_upper ON counted (upper(name))",
                     "ALTER INDEX parts_upper ALTER COLUMN 1 SET STATISTICS 70")
    parts = replace(PLAIN, exclusions=(replace(ONCE, statistics=(151,)),))
    counted = replace(VIEW, indexes=(replace(VIEW.indexes[0], statistics=(401,)),))
    assert converge(database, [parts, counted]) == ["ALTER INDEX parts_once ALTER COLUMN 1 SET STATISTICS 151",
                                                    "ALTER INDEX counted_name ALTER COLUMN 1 SET STATISTICS 401"]
    parts = replace(PLAIN, exclusions=(replace(ONCE, where="n > 0", statistics=(151,)),))
    counted = replace(counted, indexes=(replace(counted.indexes[0], columns=("lower(name) DESC",)),))
    steps = converge(database, [parts, counted], "blocks_writes")
    assert [step for step in steps if "STATISTICS" in step] == [
        "ALTER INDEX parts_once ALTER COLUMN 1 SET STATISTICS 151",
        "ALTER INDEX counted_name ALTER COLUMN 1 SET STATISTICS 401"]
    again = replace(counted, query="SELECT name, count(*) + 1 AS number FROM parts GROUP BY name")
    (step,) = converge(database, [parts, again], "rewrites_table")
    assert step.count("SET STATISTICS") == 2
    assert ("parts_upper", [70]) in database.execute(TARGETS)


@pytest.mark.servers("official")
def test_those_of_an_aggregate_are_kept_when_it_is_built_anew(database: Database) -> None:
    table = replace(HYPER, indexes=())
    converge(database, [table, DAILY])
    database.execute(ROWS)
    other = replace(DAILY, indexes=(replace(DAILY.indexes[0], statistics=(121,)),))
    assert converge(database, [table, other]) == [
        "ALTER INDEX _timescaledb_internal.daily_name ALTER COLUMN 1 SET STATISTICS 121"]
    anew = replace(other, query=other.query.replace("FROM parts", "FROM parts WHERE n > 0"))
    apply.ensure(database.owner, [table, anew])
    assert apply.read(database.owner, [table, anew]) == [table, anew]


@pytest.mark.servers("official")
def test_they_are_adopted_exported_and_written_as_sql(database: Database) -> None:
    converge(database, EVERYTHING)
    adopted = adopt(database.owner)
    assert adopted.remarks == ()
    require_agreement(database, adopted.objects)
    text = python(adopted.objects, "Of a test.", adopted.remarks)
    assert "statistics=(200, -1, 300)" in text
    assert run(text, Path("adopted.py")) == adopted.objects
    plain = dump(adopted.objects)
    database.execute("SET client_min_messages = error", "DROP TABLE parts CASCADE", plain)
    require_agreement(database, adopted.objects)
