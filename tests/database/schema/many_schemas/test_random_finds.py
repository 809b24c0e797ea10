"""What random pairs of schemas have found, each with the values that showed it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from schema import apply
from schema.comparison.declaration import Options
from schema.errors import DeclarationError, UnsupportedError
from schema.model.change.step import Hazard
from schema.model.objects import (
    Check,
    Column,
    Compression,
    ContinuousAggregate,
    Domain,
    ForeignKey,
    Function,
    Grant,
    Hypertable,
    Index,
    Key,
    MaterializedView,
    Numbers,
    Object,
    Policy,
    Refresh,
    Reorder,
    Retention,
    RowSecurity,
    Table,
    Trigger,
    View,
    ViewColumn,
)
from tests.support.convergence import converge
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

PLAIN = Table("parts", (Column("id", "bigint", null=False), Column("Name", "varchar(60)"), Column("n", "integer")),
              keys=(Key("parts_pkey", ("id",), primary=True),))
HYPER = Table("readings", (Column("t", "timestamp", null=False), Column("Name", "varchar(60)"), Column("n", "integer")),
              keys=(Key("readings_pkey", ("t",), primary=True),), hypertable=Hypertable("t", "7 days"))
ROW = """INSERT INTO parts VALUES (3, 'a', 1)"""
HYPER_ROW = """INSERT INTO readings VALUES ('2026-01-01', 'a', 1)"""


def having(table: Table, name: str, **changes: Any) -> Table:
    return replace(table, columns=tuple(replace(column, **changes) if column.name == name else column
                                        for column in table.columns))


def test_the_storage_that_a_type_has_anyway_is_no_difference(database: Database) -> None:
    converge(database, [having(PLAIN, "Name", storage="extended")])
    assert converge(database, [having(PLAIN, "n", storage="plain")]) == []
    assert len(converge(database, [having(PLAIN, "Name", storage="main")])) == 1


@pytest.mark.parametrize("settings", [{"max_retries": -1}, {"max_runtime": "0"}, {"retry_period": "5 minutes"},
                                      {"fixed_schedule": False}, {"retry_period": "3600"}], ids=str)
def test_a_setting_that_the_server_chooses_anyway_is_no_difference(database: Database, settings: Any) -> None:
    table = replace(HYPER, retention=Retention("9 years", **settings), compression=Compression("1 year", **settings),
                    reorder=Reorder("readings_pkey", **settings))
    days = ContinuousAggregate(
        "days", "SELECT time_bucket('1 day', t) AS day, count(*) AS n FROM readings GROUP BY 1",
        refresh=Refresh("3 months", "1 day", "1 hour", **settings))
    converge(database, [HYPER])
    converge(database, [table, days])
    assert converge(database, [table, days]) == []


def test_an_aggregate_whose_columnstore_is_left_to_the_server_stays_as_that_chose(database: Database) -> None:
    days = ContinuousAggregate(
        "days", 'SELECT time_bucket(\'1 day\', t) AS "Day", n, count(*) AS many FROM readings GROUP BY 1, 2',
        compression=Compression(segment_by=None, order_by=None))
    converge(database, [HYPER, days])
    newest = replace(days, compression=Compression(segment_by=None, order_by=('"Day" DESC',)))
    assert len(converge(database, [HYPER, newest])) == 1
    assert converge(database, [HYPER, days]) == []


@pytest.mark.parametrize("numbers", [Numbers(1000, increment=10, maximum=5000), Numbers(increment=-1)], ids=str)
def test_a_column_that_becomes_an_identity_counts_as_declared(database: Database, numbers: Numbers) -> None:
    converge(database, [PLAIN])
    database.execute(ROW)
    converge(database, [having(PLAIN, "id", identity="by default", numbers=numbers)])
    assert database.execute("INSERT INTO parts DEFAULT VALUES RETURNING id") == [(numbers.start or -1,)]


def test_a_view_made_again_loses_the_default_of_a_column_that_it_no_longer_has(database: Database) -> None:
    view = View("seen", "SELECT id, n FROM parts", columns=(ViewColumn("n", "7", "Many"), ViewColumn("id", "1")))
    stored = MaterializedView("kept", "SELECT id, n FROM parts", columns=(ViewColumn("n", comment="Many"),))
    converge(database, [PLAIN, view, stored])
    fewer: list[Object] = [PLAIN, replace(view, query="SELECT id FROM parts", columns=(ViewColumn("id", "1"),)),
                           replace(stored, query="SELECT id FROM parts", columns=())]
    assert len(converge(database, fewer, "rewrites_table")) == 2


@pytest.mark.parametrize("declared", [True, False])
def test_a_column_goes_with_what_the_plan_takes_off_it(database: Database, declared: bool) -> None:
    table = replace(HYPER, columns=(*HYPER.columns, Column("gone", "integer")))
    days = ContinuousAggregate(
        "days", "SELECT time_bucket('1 day', t) AS day, max(gone) AS n FROM readings GROUP BY 1")
    stored = MaterializedView("kept", "SELECT t, gone FROM readings", schema="order" if declared else "public")
    converge(database, [table, days, stored])
    database.execute("INSERT INTO readings VALUES ('2026-01-01', 'a', 1, 2)")
    without: list[Object] = [replace(days, query=days.query.replace("gone", "n")),
                             replace(stored, query="SELECT t FROM readings")]
    converge(database, [HYPER, *(without if declared else ())], *Hazard, whole_schema=True)


@pytest.mark.parametrize("collation", ["de-x-icu", "POSIX"])
def test_text_of_one_order_becomes_a_domain_of_another_and_goes_back(database: Database, collation: str) -> None:
    word = Domain("word", "varchar(70)", collation='"C"')
    before: list[Object] = [word, having(HYPER, "Name", collation=f'"{collation}"')]
    after: list[Object] = [word, having(HYPER, "Name", type="word", collation='"POSIX"')]
    converge(database, before)
    database.execute(HYPER_ROW)
    converge(database, after, *Hazard)
    converge(database, before, *Hazard)
    assert database.execute('SELECT "Name" FROM readings') == [("a",)]


def test_a_column_of_a_hypertable_changes_its_type_under_constraints_and_indexes_with_comments(
        database: Database) -> None:
    table = replace(HYPER, checks=(Check("named", "\"Name\" <> 'x'", "Not x"),),
                    indexes=(Index("by_name", ('"Name"', "t"), comment="For names"),),
                    keys=(*HYPER.keys, Key("once", ("Name", "t"), comment="Once")))
    converge(database, [table])
    database.execute(HYPER_ROW)
    converge(database, [having(table, "Name", type="text")], *Hazard)


def test_how_a_column_is_stored_under_the_columnstore_is_refused_by_name(database: Database) -> None:
    table = replace(HYPER, compression=Compression())
    converge(database, [table])
    with pytest.raises(UnsupportedError, match=r"readings\.Name: how its values are stored cannot be changed while"):
        apply.plan(database.owner, [having(table, "Name", storage="main")])
    assert len(converge(database, [having(table, "Name", compression="lz4", statistics=50)])) == 2


def test_a_key_changes_after_the_foreign_keys_that_refer_to_it_are_dropped(database: Database) -> None:
    child = Table("child", (Column("parts_id", "bigint"),),
                  foreign_keys=(ForeignKey("child_parts", ("parts_id",), "parts"),))
    converge(database, [PLAIN, child])
    database.execute(ROW)
    filled = replace(PLAIN, keys=(replace(PLAIN.keys[0], options=("fillfactor = 60",)),))
    assert converge(database, [filled, child]) == ["ALTER INDEX parts_pkey SET (fillfactor = 60)"]
    assert converge(database, [PLAIN, child]) == ["ALTER INDEX parts_pkey RESET (fillfactor)"]
    other = replace(PLAIN, keys=(Key("parts_pkey", ("id", "n"), primary=True),))
    apply.ensure(database.owner, [other, replace(child, foreign_keys=())], options=Options(allow=frozenset(Hazard)))
    assert apply.plan(database.owner, [other, replace(child, foreign_keys=())]).steps == ()


def test_a_check_that_is_validated_keeps_its_comment_until_that_is_taken_away(database: Database) -> None:
    table = replace(PLAIN, checks=(Check("positive", "n > 0", "Not yet", valid=False),))
    converge(database, [table])
    database.execute(ROW)
    assert len(converge(database, [replace(table, checks=(Check("positive", "n > 0"),))])) == 2


@pytest.mark.parametrize("declared", [True, False])
def test_a_table_becomes_a_hypertable_with_the_unique_indexes_that_it_then_has(
        database: Database, declared: bool) -> None:
    table = having(replace(PLAIN, columns=(Column("Measured At", "timestamp", null=False), *PLAIN.columns)), "id",
                   null=False)
    kept = Index("parts_kept", ('"Measured At" DESC', "n"), unique=True)
    converge(database, [replace(table, indexes=(kept, Index("parts_once", ("id", "n"), unique=True)))])
    database.execute("INSERT INTO parts VALUES ('2026-01-01', 3, 'a', 1)")
    wide = Index("parts_once", ("id", "n", '"Measured At"'), unique=True)
    hyper = replace(table, keys=(Key("parts_pkey", ("id", "Measured At"), primary=True),),
                    hypertable=Hypertable("Measured At", "7 days"), indexes=(kept, wide) if declared else (kept,))
    converge(database, [hyper], *Hazard)
    assert database.execute("SELECT id FROM parts") == [(3,)]


def test_a_function_made_again_with_other_arguments_gets_its_declared_grants(database: Database) -> None:
    twice = Function("Twice It", "SELECT value * 2", "value bigint", "bigint", "sql",
                     grants=(Grant("pg_monitor", ("execute",)), Grant("public", ("execute",))))
    converge(database, [twice])
    converge(database, [replace(twice, arguments="value numeric DEFAULT 7", returns="numeric", grants=())], *Hazard)


def test_an_identity_that_becomes_a_serial_counts_as_declared(database: Database) -> None:
    numbers = Numbers(1000, cache=7)
    converge(database, [having(PLAIN, "id", identity="always", numbers=numbers)])
    database.execute(ROW.replace("VALUES", "OVERRIDING SYSTEM VALUE VALUES"))
    converge(database, [having(PLAIN, "id", serial=True, numbers=numbers)])


def test_the_length_of_chunks_that_an_aggregate_has_anyway_is_no_difference(database: Database) -> None:
    days = ContinuousAggregate(
        "days", "SELECT time_bucket('1 day', t) AS day, count(*) AS n FROM readings GROUP BY 1", chunk="70 days")
    converge(database, [HYPER, days])
    assert converge(database, [HYPER, replace(days, chunk=None)]) == []


def test_a_check_is_inherited_before_its_table_becomes_a_hypertable(database: Database) -> None:
    plain = replace(HYPER, hypertable=None, checks=(Check("positive", "n > 0", no_inherit=True),))
    converge(database, [plain])
    database.execute(HYPER_ROW)
    converge(database, [replace(HYPER, checks=(Check("positive", "n > 0"),))], *Hazard)
    with pytest.raises(DeclarationError, match=r"readings\.positive: a check of a hypertable holds for its chunks"):
        apply.plan(database.owner, [replace(HYPER, checks=plain.checks)])


def test_parameters_of_a_toast_table_come_with_the_column_that_brings_one(database: Database) -> None:
    table = Table("parts", (Column("id", "bigint"),), options=("toast.autovacuum_enabled = off",))
    apply.ensure(database.owner, [table])
    assert apply.plan(database.owner, [table]).steps == ()
    assert len(converge(database, [replace(table, columns=(*table.columns, Column("note", "text")))])) == 2


def test_a_trigger_that_is_disabled_stays_so_when_its_table_becomes_a_hypertable(database: Database) -> None:
    stamp = Function("stamp", "BEGIN RETURN NEW; END", returns="trigger")
    off = Trigger("off", "BEFORE UPDATE", "stamp()", disabled=True)
    converge(database, [stamp, replace(HYPER, hypertable=None, triggers=(off,))])
    database.execute(HYPER_ROW)
    converge(database, [stamp, replace(HYPER, triggers=(off,))], *Hazard)


def test_a_table_becomes_unlogged_before_it_refers_to_an_unlogged_one(database: Database) -> None:
    child = Table("child", (Column("parts_id", "bigint"),))
    converge(database, [PLAIN, child])
    database.execute(ROW, "INSERT INTO child VALUES (3)")
    refers = replace(child, unlogged=True, foreign_keys=(ForeignKey("child_parts", ("parts_id",), "parts"),))
    converge(database, [replace(PLAIN, unlogged=True), refers], *Hazard)


def test_a_column_named_like_a_table_is_no_source_of_an_aggregate(database: Database) -> None:
    user = replace(HYPER, name="user", keys=(), row_security=RowSecurity((Policy("all", using="true"),)))
    days = ContinuousAggregate(
        "days", 'SELECT time_bucket(\'1 day\', t) AS day, max("user") AS n FROM readings GROUP BY 1')
    converge(database, [replace(HYPER, columns=(*HYPER.columns, Column("user", "integer"))), user, days])
    with pytest.raises(DeclarationError, match="days: user has row-level security, and no aggregate"):
        apply.plan(database.owner, [user, replace(days, query=days.query.replace("readings", 'public."user"'))])


def test_rows_under_forced_row_level_security_are_not_moved_into_chunks_but_refused(database: Database) -> None:
    plain = replace(HYPER, hypertable=None, row_security=RowSecurity((Policy("all", using="true"),), forced=True))
    converge(database, [plain])
    database.execute(HYPER_ROW)
    with pytest.raises(UnsupportedError, match="readings: its row-level security is forced"):
        apply.plan(database.owner, [replace(plain, hypertable=HYPER.hypertable)])
