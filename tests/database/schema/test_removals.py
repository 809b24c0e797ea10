"""What the server would not let go or change, as something that stays needs it, is refused by name in the plan, before
anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from schema import apply
from schema.errors import UnsafeChangeError
from schema.model.change.step import Hazard
from schema.model.declarations.foundations import Attribute, CompositeType
from schema.model.objects import Column, ForeignKey, Index, Key, MaterializedView, Object, Table, View
from tests.support.convergence import require_agreement
from tests.support.running.servers import Database

pytestmark = pytest.mark.servers("official")

ALL = apply.Options(allow=frozenset(Hazard))
ID, NUMBER = Column("id", "integer", null=False), Column("no", "integer", null=False)
WORD = Column("word", "varchar(9)")
PRIMARY, UNIQUE = Key("t_pkey", ("id",), primary=True), Key("t_no", ("no",))
T = Table("t", (ID, NUMBER, WORD), keys=(PRIMARY, UNIQUE))
INDEXED = Table("t", (ID, NUMBER, WORD), keys=(PRIMARY,), indexes=(Index("t_unique", ("no",), unique=True),))
CHILD = Table("child", (Column("no", "integer"),), foreign_keys=(ForeignKey("child_fk", ("no",), "t", ("no",)),))
SEEN, STORED = View("seen", "SELECT id, word FROM t"), MaterializedView("stored", "SELECT id, word FROM t")
PAIR = CompositeType("pair", (Attribute("a", "integer"), Attribute("b", "integer")))
LINKED = ["CREATE TABLE away.linked (n int REFERENCES t (no))"]
LINK = "foreign key away.linked.linked_n_fkey is in the way"


def policy(relation: str, condition: str = "true") -> list[str]:
    return ["CREATE TABLE away.hidden (n int)",
            f"CREATE POLICY own ON away.hidden USING (EXISTS (SELECT FROM {relation} WHERE {condition}))"]


def keyed(key: Key) -> Table:
    return replace(T, keys=(PRIMARY, key))


def retyped(name: str, type_: str) -> Table:
    return replace(T, columns=tuple(replace(column, type=type_) if column.name == name else column
                                    for column in T.columns))


SMALL = Table("t", (ID, NUMBER), keys=(PRIMARY, UNIQUE))
IN_THE_WAY: dict[str, tuple[Sequence[Object], list[str], Sequence[Object], str]] = {
    "a key gets columns": ([T], LINKED, [keyed(replace(UNIQUE, columns=("no", "id")))], rf"t\.t_no: .*{LINK}"),
    "a key becomes deferrable": ([T], LINKED, [keyed(replace(UNIQUE, deferrable=True))], rf"t\.t_no: .*{LINK}"),
    "a key is dropped": ([T], LINKED, [replace(T, keys=(PRIMARY,))], rf"t\.t_no: .*{LINK}"),
    "a key under this schema's": ([T], ["CREATE TABLE linked (n int REFERENCES t (no))"], [replace(T, keys=(PRIMARY,))],
                                  r"t\.t_no: .* foreign key linked\.linked_n_fkey is in the way"),
    "a key under a declared one": ([T, CHILD], [], [keyed(replace(UNIQUE, include=("id",))), CHILD],
                                   r"t\.t_no: .* foreign key child\.child_fk is in the way"),
    "an index is dropped": ([INDEXED], LINKED, [replace(INDEXED, indexes=())], rf"t\.t_unique: .*{LINK}"),
    "an index is replaced": ([INDEXED], LINKED, [replace(INDEXED, indexes=(
        Index("t_unique", ("no", "id"), unique=True),))], rf"t\.t_unique: .*{LINK}"),
    "a key under a grouped view": (
        [T], ["CREATE VIEW away.grouped AS SELECT id, word FROM t GROUP BY id"],
        [replace(T, keys=(replace(PRIMARY, include=("no",)), UNIQUE))], r"t\.t_pkey: .* view away\.grouped is in"),
    "a key with its column": ([T], LINKED, [Table("t", (ID, WORD), keys=(PRIMARY,))], LINK),
    "a column under a policy": ([T], policy("t", "word = 'a'"), [SMALL],
                                r"t\.word: the column .* policy away\.hidden\.own is in the way"),
    "a column with a sequence": (
        [T], ["CREATE SEQUENCE numbers OWNED BY t.word",
              "CREATE TABLE away.counted (n int DEFAULT nextval('numbers'))"], [SMALL],
        r"t\.word: .* column away\.counted\.n is in the way"),
    "a type under a policy": ([T], policy("t", "word = 'a'"), [retyped("word", "text")],
                              r"t\.word: its type .* policy away\.hidden\.own is in the way"),
    "a type under rows elsewhere": (
        [T], ["CREATE TABLE away.whole (one t)"], [retyped("word", "varchar(20)")],
        r"t\.word: .* column away\.whole\.one, which holds rows of it, is in the way"),
    "rows elsewhere get a value": (
        [T], ["CREATE TABLE away.whole (one t)"],
        [replace(T, columns=(*T.columns, Column("chance", "double precision", default="1")))],
        r"t\.chance: .* column away\.whole\.one, which holds rows of it, is in the way"),
    "a type that no key compares": ([T], LINKED, [retyped("no", "text")],
                                    r"t\.no: .* foreign key away\.linked\.linked_n_fkey, whose two sides could not"),
    "a view under a policy": ([T, SEEN], policy("seen"), [T, View("seen", "SELECT id FROM t")],
                              r"seen: .* policy away\.hidden\.own is in the way"),
    "a view under a function": (
        [T, SEEN], ["CREATE FUNCTION away.shown(seen) RETURNS int LANGUAGE sql AS 'SELECT 1'"],
        [T, View("seen", "SELECT id FROM t")], r"seen: .* function away\.shown is in the way"),
    "a view under a column": ([T, SEEN], ["CREATE TABLE away.whole (one seen)"], [T, View("seen", "SELECT id FROM t")],
                              r"seen: .* column away\.whole\.one is in the way"),
    "a materialized view": ([T, STORED], policy("stored"), [T, MaterializedView("stored", "SELECT id FROM t")],
                            r"stored: .* policy away\.hidden\.own is in the way"),
    "an attribute under a view": (
        [PAIR], ["CREATE VIEW away.half AS SELECT (NULL::pair).b"], [replace(PAIR, attributes=PAIR.attributes[:1])],
        r"pair\.b: .* view away\.half is in the way"),
    "an identity's sequence": (
        [replace(T, columns=(replace(ID, identity="always"), NUMBER, WORD))],
        ["CREATE TABLE away.counted (n int DEFAULT nextval('t_id_seq'))"], [T],
        r"t\.id: its sequence .* column away\.counted\.n is in the way"),
    "a serial's sequence": (
        [replace(T, columns=(replace(ID, serial=True), NUMBER, WORD))],
        ["CREATE TABLE away.counted (n int DEFAULT nextval('t_id_seq'))"], [T],
        r"t\.id: its sequence .* column away\.counted\.n is in the way")}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_is_in_the_way_is_named_before_anything_is_done(database: Database, case: str) -> None:
    before, statements, after, message = IN_THE_WAY[case]
    apply.ensure(database.owner, before)
    database.execute("CREATE SCHEMA away", *statements)
    with pytest.raises(UnsafeChangeError, match=message):
        apply.plan(database.owner, after, options=ALL)
    done: list[str] = []
    with pytest.raises(UnsafeChangeError, match=message):
        apply.ensure(database.owner, after, options=ALL, progress=done.append)
    assert done == []
    require_agreement(database, before)


CARRIED: dict[str, tuple[Sequence[Object], list[str], Sequence[Object]]] = {
    "a foreign key that goes first": ([T, CHILD], [], [replace(T, keys=(PRIMARY,)), replace(CHILD, foreign_keys=())]),
    "a comparable type": ([T], LINKED, [retyped("no", "bigint")]),
    "no value for old rows": ([T], ["CREATE TABLE away.whole (one t)"],
                              [replace(T, columns=(*T.columns, Column("more", "integer")))]),
    "a key's name": ([T], LINKED, [keyed(replace(UNIQUE, name="t_other"))]),
    "a foreign key with its column": ([T, CHILD], [], [
        Table("t", (ID, WORD), keys=(PRIMARY,)), Table("child", (Column("other", "integer"),))]),
    "a renamed table": ([T], LINKED, [replace(T, name="t2", renamed_from="t", columns=(ID, NUMBER))])}


@pytest.mark.parametrize("case", CARRIED)
def test_what_is_in_no_ones_way_is_carried_out(database: Database, case: str) -> None:
    before, statements, after = CARRIED[case]
    apply.ensure(database.owner, before)
    database.execute("CREATE SCHEMA away", *statements)
    apply.ensure(database.owner, after, options=ALL)


def test_a_renamed_tables_key_is_looked_up_under_its_old_name(database: Database) -> None:
    apply.ensure(database.owner, [T])
    database.execute("CREATE SCHEMA away", *LINKED)
    with pytest.raises(UnsafeChangeError, match=rf"t2\.t_no: .*{LINK}"):
        apply.plan(database.owner, [replace(T, name="t2", renamed_from="t", keys=(PRIMARY,))], options=ALL)


def test_an_undeclared_tables_own_foreign_key_is_in_no_ones_way_once_the_table_goes(database: Database) -> None:
    apply.ensure(database.owner, [T])
    database.execute("CREATE TABLE linked (n int REFERENCES t (no))")
    apply.ensure(database.owner, [replace(T, keys=(PRIMARY,))], options=replace(ALL, whole_schema=True))
    assert database.execute("SELECT to_regclass('linked')") == [(None,)]
