"""Composite types on real servers: attributes come, go and change their names in place; what cannot be is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsupportedError
from schema.export.adoption import adopt
from schema.model.objects import Attribute, Collation, Column, CompositeType, Domain, Enum, Function, Object, Table
from tests.support.convergence import converge, require_agreement, require_recreated, survives_crashes
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")
PAIR = CompositeType("pair", (Attribute("a", "integer", comment="first"), Attribute("The B", "varchar(10)")),
                     comment="Two")
ROWS = Table("rows", (Column("id", "integer"), Column("p", "pair", default="ROW(1, 'x')::pair")))


@pytest.mark.servers("official", "debian", "embedded")
def test_a_composite_type_is_created_and_read_back_with_what_uses_it(database: Database) -> None:
    assert converge(database, [PAIR, ROWS])[:3] == [
        'CREATE TYPE pair AS (a integer, "The B" varchar(10))', "COMMENT ON TYPE pair IS 'Two'",
        "COMMENT ON COLUMN pair.a IS 'first'"]
    database.execute("INSERT INTO rows (id) VALUES (1)")
    assert database.execute('SELECT (p).a, (p)."The B" FROM rows') == [(1, "x")]
    require_agreement(database, [replace(PAIR, attributes=(replace(PAIR.attributes[0], type="int4"),
                                                           PAIR.attributes[1])), ROWS])


def test_attributes_are_added_at_the_end_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [PAIR, ROWS])
    database.execute("INSERT INTO rows (id) VALUES (1)")
    more = replace(PAIR, attributes=(*PAIR.attributes, Attribute("c", "integer[]", comment="third")))
    assert converge(database, [more, replace(ROWS, columns=(ROWS.columns[0], Column("p", "pair")))]) == [
        "ALTER TYPE pair ADD ATTRIBUTE c integer[]", "COMMENT ON COLUMN pair.c IS 'third'",
        "ALTER TABLE rows ALTER COLUMN p DROP DEFAULT"]
    less = replace(PAIR, attributes=PAIR.attributes[1:])
    rows = replace(ROWS, columns=(ROWS.columns[0], Column("p", "pair")))
    assert apply.plan(database.owner, [less, rows]).warnings == tuple(
        f"pair.{name} is not declared and was left in place; declare it, or allow drops_column to drop it"
        for name in ("a", "c"))
    assert converge(database, [less, rows], "drops_column") == [
        "ALTER TYPE pair DROP ATTRIBUTE a", "ALTER TYPE pair DROP ATTRIBUTE c"]
    assert database.execute("SELECT p::text FROM rows") == [("(x)",)]


def test_an_attribute_is_renamed_and_retyped_in_place(database: Database) -> None:
    converge(database, [PAIR])
    other = replace(PAIR, attributes=(replace(PAIR.attributes[0], name="first", renamed_from="a", type="bigint"),
                                      replace(PAIR.attributes[1], type="text", collation='"C"')))
    assert converge(database, [other]) == [
        "ALTER TYPE pair RENAME ATTRIBUTE a TO first", "ALTER TYPE pair ALTER ATTRIBUTE first TYPE bigint",
        'ALTER TYPE pair ALTER ATTRIBUTE "The B" TYPE text COLLATE "C"']


def test_a_type_that_a_table_holds_is_not_retyped_and_says_which(database: Database) -> None:
    nested = CompositeType("nested", (Attribute("pairs", "pair[]"),), schema="app")
    held = Table("held", (Column("n", "app.nested"),))
    converge(database, [PAIR, nested, held])
    wide = replace(PAIR, attributes=(replace(PAIR.attributes[0], type="bigint"), PAIR.attributes[1]))
    with pytest.raises(UnsupportedError, match=r"pair\.a: its type is integer, declared as bigint, and PostgreSQL "
                                               r"cannot change that while held\.n holds values of pair; declare it"):
        apply.plan(database.owner, [wide, nested, held])


def test_another_order_makes_it_again_where_nothing_uses_it_and_is_refused_else(database: Database) -> None:
    converge(database, [PAIR])
    turned = replace(PAIR, attributes=PAIR.attributes[::-1])
    assert converge(database, [turned])[0] == 'DROP TYPE pair; CREATE TYPE pair AS ("The B" varchar(10), a integer); ' \
        "REVOKE ALL ON TYPE pair FROM PUBLIC; GRANT USAGE ON TYPE pair TO PUBLIC"
    converge(database, [turned, replace(ROWS, columns=(Column("p", "pair"),))])
    with pytest.raises(UnsupportedError, match=r"pair: its attributes are \(The B, a\), declared as \(a, The B\), "
                                               "which PostgreSQL cannot change in place, and column p of table rows"):
        apply.plan(database.owner, [PAIR, replace(ROWS, columns=(Column("p", "pair"),))])


def test_composites_hold_enums_domains_composites_and_arrays_of_them_in_any_schema(database: Database) -> None:
    colour = Enum("colour", ("red", "green"), schema="app")
    german = Collation("german", locale="de-DE", schema="app")
    share = Domain("share", type="numeric(5,2)", schema="app")
    inner = CompositeType("inner", (Attribute("colours", "app.colour[]"), Attribute("s", "app.share"),
                                    Attribute("t", "varchar(10)", collation="app.german")), schema="Other Place")
    outer = CompositeType("outer", (Attribute("inners", '"Other Place"."inner"[]'),))
    strict = Domain("strict", type='"outer"')
    total = Function("total", arguments='o "outer", s app.share[] DEFAULT NULL::app.share[]', returns='SETOF "outer"',
                     language="sql", volatility="stable", body='SELECT o')
    table = Table("kept", (Column("o", '"outer"[]'), Column("s", "strict")), schema="app")
    objects: list[Object] = [colour, german, share, inner, outer, strict, total, table]
    converge(database, objects)
    found = adopt(database.owner)
    assert [each.full_name for each in found.objects] == [each.full_name for each in objects]
    require_agreement(database, found.objects)


def test_it_is_renamed_and_what_uses_it_follows(database: Database) -> None:
    rows = replace(ROWS, columns=(Column("p", "pair"),))
    outer = CompositeType("holder", (Attribute("p", "pair[]"),))
    converge(database, [PAIR, outer, rows])
    two = replace(PAIR, name="two", renamed_from="pair")
    assert converge(database, [two, replace(outer, attributes=(Attribute("p", "two[]"),)),
                               replace(rows, columns=(Column("p", "two"),))]) == ["ALTER TYPE pair RENAME TO two"]


def test_drift_is_repaired_and_a_dropped_type_is_made_again(database: Database) -> None:
    converge(database, [PAIR])
    database.execute("COMMENT ON TYPE pair IS 'other'", "COMMENT ON COLUMN pair.a IS NULL")
    assert converge(database, [PAIR]) == ["COMMENT ON TYPE pair IS 'Two'", "COMMENT ON COLUMN pair.a IS 'first'"]
    require_recreated(database, [PAIR], PAIR, "DROP TYPE pair")


def test_an_undeclared_type_is_reported_and_dropped_where_that_is_allowed(database: Database) -> None:
    converge(database, [PAIR])
    database.execute("CREATE TYPE other AS (p pair)")
    assert apply.plan(database.owner, [PAIR], options=apply.Options(whole_schema=True)).warnings == (
        "other is a composite type that is not declared and was left in place; declare it, or allow "
        "drops_composite_type to drop it",)
    assert converge(database, [PAIR], "drops_composite_type", whole_schema=True) == ["DROP TYPE other"]


def test_a_crash_after_any_step_leaves_what_the_next_run_finishes(database: Database) -> None:
    converge(database, [PAIR])
    after = replace(PAIR, comment="Other", attributes=(replace(PAIR.attributes[0], name="x", renamed_from="a"),
                                                       PAIR.attributes[1], Attribute("c", "text")))
    survives_crashes(database, [PAIR], [after], reset=lambda: database.execute("DROP TYPE pair"))
