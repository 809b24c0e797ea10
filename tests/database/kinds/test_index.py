"""Indexes on a real server: every property, built beside writers and replaced beside the old one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.model.objects import Column, Hypertable, Index, Table
from tests.support.convergence import converge, survives_crashes
from tests.support.running.servers import Database

PLAIN = Table("readings", (Column("t", "timestamptz", null=False), Column("v", "int"), Column("name", "text"),
                           Column("more", "jsonb")))
HYPER = replace(PLAIN, hypertable=Hypertable("t", "1 day"))
TABLES = pytest.mark.parametrize("table", [PLAIN, HYPER], ids=["plain", "hypertable"])
ROWS = ("INSERT INTO readings SELECT now() - n * interval '1 day', n, 'n' || n, '{}' FROM generate_series(1, 3) n",)
BASE = Index("wanted", ("v",), comment="By value")
INDEXES = {
    "two columns": Index("wanted", ("v", "name")), "descending": Index("wanted", ("v DESC", "t")),
    "nulls": Index("wanted", ("v DESC NULLS LAST", "t ASC NULLS FIRST")),
    "expression": Index("wanted", ("lower(name)", "(v + 1) DESC")), "partial": Index("wanted", ("v",), where="v > 1"),
    "include": Index("wanted", ("v",), include=("name", "t")), "opclass": Index("wanted", ("name text_pattern_ops",)),
    "gin": Index("wanted", ("more",), method="gin"),
    "gin opclass": Index("wanted", ("more jsonb_path_ops",), method="gin"),
    "brin": Index("wanted", ("t", "v"), method="brin"), "hash": Index("wanted", ("name",), method="hash"),
    "nulls not distinct": Index("wanted", ("t", "v"), unique=True, nulls_distinct=False),
    "options": Index("wanted", ("v",), options=("fillfactor = 70", "deduplicate_items = off")),
    "collation": Index("wanted", ('name COLLATE "C" text_pattern_ops', 'lower(name) COLLATE "POSIX" DESC')),
    "opclass options": Index("wanted", ("v int4_minmax_multi_ops(values_per_range='16')",), method="brin",
                             options=("pages_per_range = 8",)),
    "unique": Index("wanted", ("t", "v"), unique=True),
}


def having(table: Table, *indexes: Index) -> list[Table]:
    return [replace(table, indexes=indexes)]


@TABLES
def test_every_kind_of_index_is_created_and_read_back(database: Database, table: Table) -> None:
    indexes = tuple(replace(index, name=name.replace(" ", "_"), comment=name) for name, index in INDEXES.items())
    converge(database, having(table, *indexes))


@pytest.mark.servers("official")
@TABLES
def test_each_changed_property_builds_a_new_index_before_the_old_one_is_dropped(
        database: Database, table: Table) -> None:
    converge(database, having(table, BASE))
    database.execute(*ROWS)
    for name, index in INDEXES.items():
        steps = converge(database, having(table, index), "blocks_writes")
        assert "wanted__new" in steps[0], name
        assert steps[1] == "DROP INDEX wanted; ALTER INDEX wanted__new RENAME TO wanted"
        plain = "CONCURRENTLY" if not table.hypertable else "transaction_per_chunk"
        assert (plain in steps[0]) is not (index.unique and bool(table.hypertable)), name
    assert len(converge(database, having(table, replace(INDEXES["unique"], comment="Other")))) == 1
    assert database.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%__new'") == [(0,)]


@pytest.mark.servers("official")
@TABLES
def test_drift_is_repaired_and_what_is_undeclared_is_reported(database: Database, table: Table) -> None:
    converge(database, having(table, BASE))
    database.execute(*ROWS, "DROP INDEX wanted", "CREATE INDEX mine ON readings (name)")
    plan = apply.plan(database.owner, having(table, BASE))
    assert [step.sql.split(" ON ")[0].replace("CONCURRENTLY ", "") for step in plan.steps] == [
        "CREATE INDEX wanted", "COMMENT"]
    assert [warning.split(" ")[0] for warning in plan.warnings] == ["readings.mine"]
    converge(database, having(table, BASE))
    (dropped,) = converge(database, having(table, BASE), "drops_index")
    assert dropped.startswith("DROP INDEX")


@pytest.mark.servers("official")
@pytest.mark.parametrize("table", [HYPER], ids=["hypertable"])
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database, table: Table) -> None:
    def again() -> None:
        database.execute("DROP TABLE readings")
        converge(database, having(table, BASE))
        database.execute(*ROWS)

    converge(database, having(table, BASE))
    database.execute(*ROWS)
    after = having(table, INDEXES["expression"], Index("other", ("name",)))
    survives_crashes(database, having(table, BASE), after, "drops_index", reset=again)
