"""Sequences on real servers: altered in place with their numbers and grants, and called by defaults in any schema."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import ApplyError, DeclarationError
from schema.export.adoption import adopt
from schema.model.objects import Column, Domain, Numbers, Object, Sequence, Table
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official", "embedded")
NUMBERS = Sequence("numbers", schema="app", start=100, increment=10, comment="Of bills")
BILLS = Table("bills", (Column("id", "bigint", null=False, default="nextval('app.numbers')"), Column("note", "text")),
              schema="app")


@pytest.mark.servers("official", "debian", "embedded")
def test_a_default_takes_numbers_of_a_sequence_in_whatever_schema(database: Database) -> None:
    odd = Sequence("My Odds", type="smallint", increment=2)
    table = Table("t", (Column("n", "smallint", default="nextval('\"My Odds\"'::regclass)"),
                        Column("b", "text", default="'B-' || nextval('app.numbers')")))
    assert converge(database, [NUMBERS, odd, BILLS, table])[:3] == [
        "CREATE SCHEMA app", "CREATE SEQUENCE app.numbers INCREMENT BY 10 START WITH 100",
        "COMMENT ON SEQUENCE app.numbers IS 'Of bills'"]
    database.execute("INSERT INTO app.bills DEFAULT VALUES", "INSERT INTO t DEFAULT VALUES",
                     "INSERT INTO t DEFAULT VALUES")
    assert database.execute("SELECT id FROM app.bills") == [(100,)]
    assert database.execute("SELECT n, b FROM t ORDER BY n") == [(1, "B-110"), (3, "B-120")]
    require_agreement(database, [NUMBERS, odd, BILLS, table])


@pytest.mark.parametrize(("wanted", "step"), [
    (replace(NUMBERS, increment=5), "ALTER SEQUENCE app.numbers INCREMENT BY 5 NO MINVALUE NO MAXVALUE START WITH 100"),
    (replace(NUMBERS, type="integer"),
     "ALTER SEQUENCE app.numbers AS integer NO MINVALUE NO MAXVALUE START WITH 100"),
    (replace(NUMBERS, minimum=50, maximum=9223372036854775806),
     "ALTER SEQUENCE app.numbers MINVALUE 50 MAXVALUE 9223372036854775806"),
    (replace(NUMBERS, start=None), "ALTER SEQUENCE app.numbers START WITH 1"),
    (replace(NUMBERS, cache=20, cycle=True), "ALTER SEQUENCE app.numbers CACHE 20 CYCLE"),
    (replace(NUMBERS, increment=-1, start=-5), "ALTER SEQUENCE app.numbers INCREMENT BY -1 NO MINVALUE NO MAXVALUE "
                                               "START WITH -5")])
def test_it_is_altered_in_place(database: Database, wanted: Sequence, step: str) -> None:
    converge(database, [NUMBERS])
    if wanted.increment > 0:
        database.execute("SELECT nextval('app.numbers'), nextval('app.numbers')")
    else:
        database.execute("SELECT setval('app.numbers', 1, false)")
        with pytest.raises(ApplyError, match=r"app\.numbers: .* value"):
            apply.ensure(database.owner, [wanted])
        return
    assert converge(database, [wanted]) == [step]
    assert database.execute("SELECT nextval('app.numbers')") == [(110 + wanted.increment,)]


def test_numbers_that_go_down_go_from_the_types_end(database: Database) -> None:
    down = Sequence("down", type="int", increment=-3, minimum=-100, cycle=True)
    assert converge(database, [down]) == ["CREATE SEQUENCE down AS integer INCREMENT BY -3 MINVALUE -100 CYCLE"]
    assert database.execute("SELECT nextval('down'), nextval('down')") == [(-1, -4)]
    require_agreement(database, [replace(down, start=-1, maximum=-1)])


@pytest.mark.servers("official")
def test_it_keeps_owner_and_grants_whatever_changes(database: Database) -> None:
    with database.admin.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS sequence_reader")
        connection.execute("CREATE ROLE sequence_reader")
    converge(database, [NUMBERS])
    database.execute("GRANT USAGE ON SEQUENCE app.numbers TO sequence_reader")
    converge(database, [replace(NUMBERS, type="integer", increment=7, unlogged=True)])
    assert database.execute("SELECT has_sequence_privilege('sequence_reader', 'app.numbers', 'USAGE'), relpersistence "
                            "FROM pg_class WHERE oid = 'app.numbers'::regclass") == [(True, "u")]
    converge(database, [NUMBERS])
    database.execute("DROP SEQUENCE app.numbers")
    with database.admin.connect() as connection:
        connection.execute("DROP ROLE sequence_reader")


def test_it_belongs_to_a_column_that_is_made_after_it(database: Database) -> None:
    owned = replace(NUMBERS, owned_by="app.bills.id")
    bills = replace(BILLS, columns=(Column("id", "text", default="'B-' || nextval('app.numbers')"), BILLS.columns[1]))
    assert converge(database, [owned, bills])[-1] == "ALTER SEQUENCE app.numbers OWNED BY app.bills.id"
    assert converge(database, [replace(owned, owned_by="app.bills.note"), bills]) == [
        "ALTER SEQUENCE app.numbers OWNED BY app.bills.note"]
    assert converge(database, [NUMBERS, bills]) == ["ALTER SEQUENCE app.numbers OWNED BY NONE"]
    converge(database, [owned, bills])
    assert set(adopt(database.owner, ["app"]).objects) == {
        owned, replace(bills, columns=(replace(bills.columns[0], default="'B-'::text || "
                                               "nextval('app.numbers'::regclass)"), bills.columns[1]))}


def test_it_is_renamed_and_defaults_follow(database: Database) -> None:
    converge(database, [NUMBERS, BILLS])
    renamed = replace(NUMBERS, name="bill_numbers", renamed_from="numbers")
    bills = replace(BILLS, columns=(replace(BILLS.columns[0], default="nextval('app.bill_numbers')"),
                                    BILLS.columns[1]))
    assert converge(database, [renamed, bills]) == ["ALTER SEQUENCE app.numbers RENAME TO bill_numbers"]


def test_drift_is_repaired_and_a_dropped_sequence_is_made_again(database: Database) -> None:
    numbers = replace(NUMBERS, schema="public")
    converge(database, [numbers])
    database.execute("COMMENT ON SEQUENCE numbers IS 'other'", "ALTER SEQUENCE numbers CACHE 3")
    assert converge(database, [numbers]) == ["ALTER SEQUENCE numbers CACHE 1",
                                             "COMMENT ON SEQUENCE numbers IS 'Of bills'"]
    require_recreated(database, [numbers], numbers, "DROP SEQUENCE numbers")


def test_an_undeclared_sequence_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    table = Table("t", (Column("id", "integer", serial=True, null=False),
                        Column("n", "integer", null=False, identity="always")))
    converge(database, [table])
    database.execute("CREATE SEQUENCE other")
    assert apply.plan(database.owner, [table], options=apply.Options(whole_schema=True)).warnings == (
        "other is a sequence that is not declared and was left in place; declare it, or allow drops_sequence to drop "
        "it",)
    assert converge(database, [table], "drops_sequence", whole_schema=True) == [
        "DROP SEQUENCE IF EXISTS other"]
    database.execute("CREATE SEQUENCE other", "CREATE TABLE owner (a text DEFAULT 'X' || nextval('other'))",
                     "ALTER SEQUENCE other OWNED BY owner.a")
    assert converge(database, [table], "drops_sequence", "drops_table", whole_schema=True) == [
        "DROP TABLE owner", "DROP SEQUENCE IF EXISTS other"]


def test_sequences_are_adopted_but_for_those_of_serial_and_identity_columns(database: Database) -> None:
    number = Domain("number", type="bigint", default="nextval('app.numbers'::regclass)")
    table = Table("t", (Column("id", "integer", serial=True, null=False), Column("d", "number"),
                        Column("n", "integer", null=False, identity="always")))
    objects: list[Object] = [NUMBERS, replace(NUMBERS, name="wide", schema="public", start=None, comment=None,
                                              maximum=2 ** 62), number, table]
    converge(database, objects)
    found = adopt(database.owner, ["public", "app"])
    assert (found.objects, found.remarks) == (tuple(objects), ())


def test_options_of_a_columns_own_sequence_are_declared_with_the_column(database: Database) -> None:
    database.execute("CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT 10), "
                     "c serial)", "ALTER SEQUENCE t_a_seq CACHE 7 CYCLE")
    found = adopt(database.owner, ["public"])
    (table,) = found.objects
    assert isinstance(table, Table)
    assert found.remarks == ()
    assert [column.numbers for column in table.columns] == [Numbers(cache=7, cycle=True), Numbers(1000, 10), None]


def test_a_sequence_that_is_a_serial_columns_own_is_refused_as_a_declaration_of_its_own(database: Database) -> None:
    owned = Sequence("n", owned_by="t.id")
    table = Table("t", (Column("id", "bigint", null=False, default="nextval('n'::regclass)"),))
    with pytest.raises(DeclarationError, match=r"n: t\.id owns it and takes its next number, which is what serial "
                                               "means; declare the column serial=True without a default and without "
                                               "this sequence"):
        apply.plan(database.owner, [owned, table])


@pytest.mark.parametrize(("wrong", "message"), [
    (Sequence("s", type="text"), "s: type 'text' counts nothing"), (Sequence("s", increment=0), "s: increment is 0"),
    (Sequence("s", type="smallint", maximum=40000), "s: its numbers go from 1 to 40000, which smallint does not have"),
    (Sequence("s", start=0), "s: start is 0, and its numbers go from 1 to"),
    (Sequence("s", cache=0), "s: cache is 0"), (Sequence("s", owned_by="t"), "s: owned_by is 't' and must be"),
    (Sequence("s", owned_by="app.t.c"), "s: its owner app.t.c is in schema app and must be in public")])
def test_what_cannot_count_is_refused(database: Database, wrong: Sequence, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        apply.plan(database.owner, [wrong])


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    before: list[Object] = [NUMBERS, BILLS]
    converge(database, before)
    survives_crashes(database, before, [replace(NUMBERS, cache=7, comment="Other", owned_by="app.bills.note"), BILLS],
                     reset=lambda: database.execute("ALTER SEQUENCE app.numbers OWNED BY NONE"))


def test_a_sequence_that_kept_the_name_of_a_renamed_table_is_named_by_adopt(database: Database) -> None:
    database.execute("CREATE TABLE tag (id serial, n int GENERATED ALWAYS AS IDENTITY, plain serial)",
                     "ALTER TABLE tag RENAME TO label", "ALTER SEQUENCE tag_plain_seq RENAME TO label_plain_seq")
    assert adopt(database.owner).remarks == (
        "label.id: its sequence is tag_id_seq and not label_id_seq, which no declaration has; it stays as it is",
        "label.n: its sequence is tag_n_seq and not label_n_seq, which no declaration has; it stays as it is")
