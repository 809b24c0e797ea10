"""Columns on a real server: each property changed by the gentlest way, with the rows that are there kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsupportedError
from schema.model.objects import Column, Hypertable, Key, Table
from tests.support.convergence import converge, survives_crashes
from tests.support.running.servers import Database

PLAIN = Table("readings", (Column("t", "timestamptz", null=False), Column("id", "bigint", null=False),
                           Column("v", "int", comment="What was read")))
HYPER = replace(PLAIN, hypertable=Hypertable("t", "1 day"))
TABLES = pytest.mark.parametrize("table", [PLAIN, HYPER], ids=["plain", "hypertable"])
ROWS = ("INSERT INTO readings (t, id, v) OVERRIDING SYSTEM VALUE "
        "SELECT now() - n * interval '1 day', n, n FROM generate_series(1, 3) n")
# What one column may be, beside what it is: from each to the next and back.
IDS = {"serial": {"serial": True}, "by default": {"identity": "by default"}, "always": {"identity": "always"},
       "plain": {}, "default": {"default": "7"}}


def having(table: Table, name: str, **change: object) -> Table:
    return replace(table, columns=tuple(replace(column, **change) if column.name == name else column  # type: ignore[arg-type]
                                        for column in table.columns))


def with_rows(database: Database, table: Table) -> Table:
    converge(database, [table])
    database.execute(ROWS)
    return table


@pytest.mark.parametrize("table", [HYPER], ids=["hypertable"])
def test_columns_of_every_kind_are_created_and_read_back(database: Database, table: Table) -> None:
    more = (Column("serial", "int", serial=True), Column("small", "smallint", null=False, serial=True),
            Column("number", "bigint", identity="by default"), Column("always", "int", identity="always"),
            Column("double", "int", generated="v * 2", comment="Twice"), Column("tags", "text[]", default="'{}'"),
            Column("Mixed Case", "varchar(9)", default="'it''s'"), Column("at", "time(3)", default="localtime(3)"),
            Column("money", "decimal(8, 2)", null=False, default="0"), Column("span", "interval", default="'1 day'"))
    converge(database, [replace(table, columns=(*table.columns, *more))])


@pytest.mark.servers("official")
@pytest.mark.parametrize("before", IDS)
def test_a_column_continues_its_numbers_when_serial_and_identity_change(database: Database, before: str) -> None:
    start = with_rows(database, having(PLAIN, "id", **IDS[before]))
    for after in [name for name in IDS if name != before]:
        converge(database, [having(PLAIN, "id", **IDS[after])])
        if after not in ("plain", "default"):
            assert database.execute("INSERT INTO readings (t) VALUES (now()) RETURNING id > 3 AND id < 30") == [(True,)]
        converge(database, [start])
    assert database.execute("SELECT count(*) FROM pg_class WHERE relkind = 'S' AND relname LIKE 'readings%'") == [
        (int(before not in ("plain", "default")),)]


@pytest.mark.servers("official")
def test_a_serial_that_widens_takes_its_sequence_along(database: Database) -> None:
    with_rows(database, having(PLAIN, "id", type="int", serial=True))
    converge(database, [having(PLAIN, "id", serial=True)], "rewrites_table")
    database.execute("SELECT setval(pg_get_serial_sequence('readings', 'id'), 3000000000)",
                     "INSERT INTO readings (t) VALUES (now())")


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@TABLES
def test_types_defaults_nulls_and_comments_change_with_rows(database: Database, table: Table) -> None:
    with_rows(database, table)
    for change, begins in (
            ({"null": False}, "DROP CONSTRAINT IF EXISTS v_is_not_null, ADD"), ({"default": "5"}, "ALTER COLUMN v SET"),
            ({"default": "(random() * 9)::int"}, "ALTER COLUMN v SET"), ({"comment": None}, "COMMENT"),
            ({"type": "numeric(9,2)", "default": "1.5"}, "ALTER COLUMN v TYPE numeric(9,2)"),
            ({"type": "text", "default": "'none'"}, "ALTER COLUMN v TYPE text")):
        steps = converge(database, [having(table, "v", **change)], "rewrites_table")
        assert begins.split(",", maxsplit=1)[0] in steps[0]
        converge(database, [table], "rewrites_table")
    assert database.execute("SELECT sum(v) FROM readings") == [(6,)]


@pytest.mark.servers("official")
@TABLES
def test_a_generated_column_is_added_changed_and_turned_into_a_plain_one(database: Database, table: Table) -> None:
    with_rows(database, table)
    twice = replace(table, columns=(*table.columns, Column("w", "int", generated="v * 2")))
    converge(database, [twice], "rewrites_table")
    assert converge(database, [having(twice, "w", generated="v * 3")], "rewrites_table") == [
        "ALTER TABLE readings ALTER COLUMN w SET EXPRESSION AS (v * 3)"]
    assert database.execute("SELECT sum(w) FROM readings") == [(18,)]
    assert converge(database, [having(twice, "w", generated=None)]) == [
        "ALTER TABLE readings ALTER COLUMN w DROP EXPRESSION"]
    with pytest.raises(UnsupportedError, match=r"readings\.w: its generation expression cannot be changed"):
        apply.plan(database.owner, [twice])


@pytest.mark.repeats("debian")
@pytest.mark.servers("official", "debian")
@TABLES
def test_a_column_is_renamed_with_all_that_names_it(database: Database, table: Table) -> None:
    start = replace(table, keys=(Key("readings_key", ("t", "v")),), columns=(
        *table.columns, Column("w", "int", generated="v * 2")))
    with_rows(database, start)
    wanted = replace(start, keys=(Key("readings_key", ("t", "value")),), columns=(
        *start.columns[:2], replace(start.columns[2], name="value", renamed_from="v"),
        replace(start.columns[3], generated="value * 2")))
    assert converge(database, [wanted]) == ["ALTER TABLE readings RENAME COLUMN v TO value"]
    assert database.execute("SELECT sum(value), sum(w) FROM readings") == [(6, 12)]


@pytest.mark.servers("official")
def test_serial_identity_and_primary_key_columns_are_not_null_without_declaration(database: Database) -> None:
    table = Table("t", (Column("a", "int"), Column("b", "int", identity="always"), Column("c", "int", serial=True)),
                  keys=(Key("t_pkey", ("a",), primary=True),))
    converge(database, [table])
    database.execute("INSERT INTO t (a) VALUES (1), (2)")
    other = replace(table, keys=(Key("t_pkey", ("b",), primary=True),))
    converge(database, [other])
    database.execute("INSERT INTO t (a) VALUES (NULL)", "DELETE FROM t WHERE a IS NULL")
    converge(database, [table])
    without = replace(table, keys=())
    assert apply.plan(database.owner, [without]).steps == ()
    assert converge(database, [without], "drops_constraint") == [
        "ALTER TABLE t DROP CONSTRAINT t_pkey", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL"]


@pytest.mark.servers("official")
def test_an_identity_column_on_a_hypertable_with_chunks_is_refused_before_any_change(database: Database) -> None:
    with_rows(database, HYPER)
    for wanted in (having(HYPER, "id", identity="always"),
                   replace(HYPER, columns=(*HYPER.columns, Column("n", "int", identity="always")))):
        with pytest.raises(UnsupportedError, match="a hypertable with chunks takes no identity column; declare it "
                                                   "serial"):
            apply.plan(database.owner, [wanted])


@pytest.mark.servers("official")
def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    def again() -> None:
        database.execute("DROP TABLE readings", "CREATE TABLE readings (t timestamptz NOT NULL, id bigint NOT NULL, "
                         "v int)", ROWS)

    with_rows(database, PLAIN)
    after = [replace(having(having(PLAIN, "id", identity="always"), "v", null=False, type="bigint", comment="Other"),
                     keys=(Key("readings_pkey", ("id",), primary=True),))]
    survives_crashes(database, [PLAIN], after, "rewrites_table", reset=again)
