"""What is wrong in a declaration is found before any server is asked."""

from dataclasses import replace
from typing import Any

import pytest

from schema.errors import DeclarationError
from schema.lifecompanion import declared
from schema.lint import lint, warnings
from schema.model.objects import (
    Attribute,
    Check,
    Column,
    CompositeType,
    Compression,
    ContinuousAggregate,
    Dimension,
    Domain,
    Enum,
    Exclusion,
    ForeignKey,
    Function,
    Hypertable,
    Index,
    Job,
    Key,
    Numbers,
    Object,
    Policy,
    Reorder,
    Retention,
    RowSecurity,
    Table,
    Trigger,
    View,
)
from schema.model.table_options import column_of

TABLE = Table("t", (Column("id", "bigint"), Column("at", "timestamp")), hypertable=Hypertable("at", "1 week"))


def test_the_specification_has_no_finding() -> None:
    lint(declared())
    lint(declared("timestamptz"))


@pytest.mark.parametrize(("change", "message"), [
    ({"keys": (Key("t_pkey", ("id",), primary=True),)}, r"t\.t_pkey: a key of a hypertable must contain 'at'"),
    ({"indexes": (Index("i", ("id",), unique=True),)}, r"t\.i: a unique index of a hypertable must contain 'at'"),
    ({"hypertable": Hypertable("when", "1 week")}, r"t\.hypertable: column 'when' is not declared"),
    ({"hypertable": None, "retention": Retention("1 year")}, r"t\.retention: the table is no hypertable"),
    ({"compression": Compression("1 month", ("device",))}, r"t\.compression: column 'device' is not declared"),
    ({"compression": Compression("1 year"), "retention": Retention("1 month")}, "after 1 year never happens"),
    ({"foreign_keys": (ForeignKey("f", ("owner",), "users"),)}, r"t\.f: column 'owner' is not declared"),
    ({"checks": (Check("x" * 64, "id > 0"),)}, "has 64 bytes; PostgreSQL cuts at 63"),
    ({"checks": (Check("c", "id > 0"), Check("c", "id > 1"))}, r"t\.c: declared twice"),
    ({"columns": (*TABLE.columns, Column("id", "int"))}, r"t\.id: declared twice"),
    ({"hypertable": Hypertable("at", "a while")}, "interval 'a while' cannot be read"),
    ({"retention": Retention("some time")}, "interval 'some time' cannot be read"),
    ({"hypertable": Hypertable("at", "1 week", (Dimension("id", partitions=4),)),
      "keys": (Key("t_pkey", ("at",), primary=True),)}, r"t\.t_pkey: a key of a hypertable must contain 'id'"),
    ({"hypertable": Hypertable("at", "1 week", (Dimension("id", partitions=4),)),
      "indexes": (Index("i", ("at",), unique=True),)}, r"t\.i: a unique index of a hypertable must contain 'id'"),
    ({"hypertable": Hypertable("at", "1 week", (Dimension("id"),))}, "needs partitions .hashed. or interval"),
    ({"hypertable": Hypertable("at", "1 week", (Dimension("room", partitions=2),))}, "'room' is not declared"),
    ({"compression": Compression("1 day"), "row_security": RowSecurity((Policy("p", "true"),))},
     "the columnstore cannot be used on a table with row-level security"),
    ({"compression": Compression("1 day", ("id",), ("id", "at DESC"))}, "'id' is in segment_by and in order_by"),
    ({"reorder": Reorder("nowhere")}, r"t\.reorder: index 'nowhere' is not declared"),
    ({"hypertable": None, "reorder": Reorder("i")}, r"t\.reorder: the table is no hypertable"),
    ({"indexes": (Index("i", ("id", "at")), Index("j", ("id ASC", "at")))}, r"t\.j: the same index as i; keep one"),
    ({"indexes": (Index("i", ("colour",)),)}, r"t\.i: column 'colour' is not declared"),
    ({"indexes": (Index("i", ("id",), include=("colour",)),)}, r"t\.i: column 'colour' is not declared"),
    ({"columns": (*TABLE.columns, Column("a.b", "int"))}, "name 'a.b' has a dot"),
    ({"allow": ("drops_colum",)}, "allow 'drops_colum' is not known; use one of blocks_writes"),
    ({"foreign_keys": (ForeignKey("f", ("id", "at"), "users"),)}, r"t\.f: 2 columns refer to 1"),
    ({"retention": Retention()}, r"t\.retention: it needs drop_after or drop_created_before"),
    ({"retention": Retention("1 day", drop_created_before="1 day")}, r"t\.retention: it needs drop_after or"),
    ({"retention": Retention("1 day", initial_start="2026-01-01 03:00")}, "is no time with an offset"),
    ({"retention": Retention("1 day", max_runtime="a while")}, r"t\.retention\.max_runtime: interval 'a while'"),
    ({"compression": Compression("1 day", created_before="1 day")}, "it has after and created_before; keep one"),
    ({"compression": Compression(sparse_index=("id",))}, r"t\.compression: 'id' is no sparse index"),
    ({"hypertable": Hypertable("at", "1 week", chunk_skipping=("room",))}, "column 'room' of chunk_skipping is not"),
    ({"triggers": (Trigger("g", "BEFORE UPDATE", "f()"), Trigger("g", "BEFORE INSERT", "f()"))}, "declared twice"),
])
def test_a_wrong_declaration_is_named_with_its_remedy(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        lint([replace(TABLE, **change)])


def test_two_tables_of_one_name_are_an_error() -> None:
    with pytest.raises(DeclarationError, match="t: declared twice"):
        lint([TABLE, TABLE])


def test_every_error_is_reported_at_once() -> None:
    wrong = replace(TABLE, keys=(Key("t_pkey", ("id", "no"), primary=True),), retention=Retention("1 day"),
                    compression=Compression("1 week"))
    with pytest.raises(DeclarationError) as raised:
        lint([wrong])
    assert len(str(raised.value).splitlines()) == 3


PARENT = Table("parents", (Column("id", "bigint"), Column("name", "text"), Column("at", "timestamp")),
               keys=(Key("parents_pkey", ("id",), primary=True),))
CHILD = Table("children", (Column("id", "bigint"), Column("parent_id", "bigint")),
              foreign_keys=(ForeignKey("f", ("parent_id",), "parents"),), indexes=(Index("i", ("parent_id", "id")),))


@pytest.mark.parametrize(("objects", "message"), [
    ([PARENT, replace(CHILD, foreign_keys=(ForeignKey("f", ("parent_id",), "parents", ("name",)),))],
     "name is no primary or unique key of parents"),
    ([PARENT, replace(CHILD, foreign_keys=(ForeignKey("f", ("parent_id",), "parents", ("nick",)),))],
     "column 'nick' of parents is not declared"),
    ([replace(PARENT, keys=(Key("p", ("id", "at"), primary=True),), hypertable=Hypertable("at", "1 day")),
      replace(TABLE, foreign_keys=(ForeignKey("f", ("id", "at"), "parents", ("id", "at")),))],
     "a hypertable cannot refer to parents, which is one, too"),
    ([Function("touch", "BEGIN END"), replace(PARENT, triggers=(Trigger("g", "BEFORE UPDATE", "touch()"),))],
     "touch returns void, and a trigger's function returns trigger"),
    ([Enum("mood", ("calm", "calm"))], "mood: value 'calm' is declared twice"),
    ([Domain("d", "int", checks=(Check("c", "VALUE > 0"), Check("c", "VALUE > 1")))], "d: check c is declared twice"),
    ([CompositeType("c", (Attribute("a", "int"), Attribute("a", "text")))], "c: attribute a is declared twice"),
    ([CompositeType("c", (Attribute("a.b", "int"),))], "name 'a.b' has a dot"),
    ([PARENT, CompositeType("parents", ())], "parents: declared twice"),
    ([PARENT, ContinuousAggregate("parents", "SELECT 1")], "parents: declared twice"),
    ([ContinuousAggregate("a", "SELECT 1", indexes=(Index("i", ("b",)), Index("j", ("b",))))], "the same index as i"),
    ([replace(PARENT, schema="s" * 64)], "has 64 bytes"),
])
def test_objects_that_do_not_fit_together_are_named(objects: list[Object], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        lint(objects)


@pytest.mark.parametrize(("objects", "expected"), [
    ([PARENT, replace(CHILD, indexes=())],
     ["children.f: no index begins with parent_id, so every delete in parents reads all of children; declare one, or "
      "allow unindexed_foreign_key on children"]),
    ([PARENT, replace(CHILD, indexes=(Index("i", ("parent_id",), where="id > 0"),))], ["children.f: no index begins"]),
    ([PARENT, replace(CHILD, indexes=(), keys=(Key("k", ("parent_id", "id"), primary=True),))], []),
    ([PARENT, CHILD], []),
    ([PARENT, replace(CHILD, indexes=(*CHILD.indexes, Index("j", ("lower(id)", "(id || 'x')"))))], []),
    ([PARENT, replace(CHILD, indexes=(*CHILD.indexes, Index("j", ("parent_id",))))],
     ["children.j: i begins with the same columns and serves the same queries; drop it"]),
    ([replace(PARENT, indexes=(Index("j", ("id",)),))], ["parents.j: parents_pkey begins with the same columns"]),
    ([replace(PARENT, indexes=(Index("j", ("id",), include=("name",)),))], []),
    ([replace(PARENT, indexes=(Index("j", ("id DESC",)), Index("k", ("id",), method="hash")))], []),
    ([CHILD], ["children.f: table parents is not declared"]),
    ([replace(PARENT, triggers=(Trigger("g", "BEFORE UPDATE", "touch()"),))],
     ["parents.g: function touch is not declared"]),
    ([Job("j", "prune", "1 day")], ["j.procedure: function prune is not declared"]),
    ([Job("j", "prune", "1 day", allow=("undeclared_function",))], []),
    ([replace(PARENT, keys=(Key("p", ("id", "at"), primary=True),), hypertable=Hypertable("at", "1 day"),
              retention=Retention("7 days")),
      Table("notes", (Column("a", "int"), Column("b", "timestamptz")), indexes=(Index("notes_i", ("a", "b")),),
            foreign_keys=(ForeignKey("notes_fk", ("a", "b"), "parents", ("id", "at"), on_delete="cascade"),))],
     ["notes.notes_fk: retention of parents fails at a chunk with rows that this refers to"]),
    ([View("peek", "SELECT 1 FROM _timescaledb_internal._hyper_1_2_chunk")],
     ["peek.query: it stands on _timescaledb_internal._hyper_1_2_chunk, TimescaleDB's own: retention cannot drop"]),
    ([View("jobs", "SELECT job_id FROM timescaledb_information.jobs")], []),
    ([ContinuousAggregate("h", "SELECT time_bucket('1 hour', at, 'Europe/Vienna') AS b FROM t GROUP BY 1")],
     ["h.query: TimescaleDB (2.29 and before) does not compute every bucket of 1 hour"]),
    ([ContinuousAggregate("h", "SELECT time_bucket('1 day', at, 'Europe/Vienna') AS b FROM t GROUP BY 1")], []),
    ([ContinuousAggregate("h", "SELECT time_bucket('1 hour', at, '2000-01-03'::timestamptz) AS b FROM t GROUP BY 1")],
     []),
])
def test_likely_mistakes_are_warnings(objects: list[Object], expected: list[str]) -> None:
    lint(objects)
    findings = warnings(objects)
    assert len(findings) == len(expected)
    assert all(line.startswith(start) for line, start in zip(findings, expected, strict=True))


def test_the_specification_has_no_warning() -> None:
    assert warnings(declared()) == []


def test_an_expression_in_an_index_is_no_column() -> None:
    assert [column_of(term) for term in ('"Odd" DESC', "a", 'lower("Odd")', "lower (a)", "s.f(a)", "(a + 1)")] == [
        "Odd", "a", None, None, None, None]


@pytest.mark.parametrize(("changes", "message"), [
    ({"keys": (Key("k", ("id",), initially_deferred=True),)},
     "t.k: initially_deferred needs deferrable; declare both or neither"),
    ({"columns": (Column("id", "bigint", storage="outside"),)},
     "t.id: storage 'outside' is not known; use one of plain, external, extended, main"),
    ({"columns": (Column("id", "bigint", numbers=Numbers(5)),)},
     "t.id: numbers needs identity or serial; declare one of them"),
    ({"columns": (Column("id", "bigint", virtual=True),)}, "t.id: virtual needs generated; declare the expression"),
    ({"triggers": (Trigger("g", "AFTER INSERT", "f()", deferrable=True),)},
     "t.g: deferrable and from_table need a constraint trigger; declare one"),
    ({"foreign_keys": (ForeignKey("f", ("id",), "t", set_columns=("id",)),), "keys": (Key("k", ("id",)),)},
     "t.f: set_columns needs on_delete set null or set default; declare one"),
    ({"options": ("fillfactor",)}, "t: option 'fillfactor' has no value; write it as 'name = value'"),
    ({"cluster": "t_i"}, "t: cluster names the index t_i, which is not declared; declare it or correct the name"),
    ({"replica_identity": "t_i"},
     "t: replica_identity names the index t_i, which is not declared; declare it or correct the name"),
    ({"exclusions": (Exclusion("x", ("gone WITH =",)),)},
     "t.x: column 'gone' is not declared; declare it or correct the exclusion"),
    ({"indexes": (Index("i", ("(id + 1)", "id"), statistics=(-1, 5)),)},
     "t.i: id is a column, and only expressions have a statistics target; give it to the column"),
    ({"indexes": (Index("i", ("(id + 1)",), statistics=(5, 5)),)},
     "t.i: 2 statistics targets for 1 terms; give one for each, -1 for none"),
    ({"exclusions": (Exclusion("x", ("(id + 1) WITH =",), statistics=(10_001,)),)},
     "t.x: statistics target 10001 of (id + 1) WITH =; give -1 to 10000"),
])
def test_options_that_cannot_be_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError) as error:
        lint([replace(Table("t", (Column("id", "bigint"),)), **changes)])
    assert str(error.value) == message
