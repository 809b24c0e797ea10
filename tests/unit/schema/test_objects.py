"""Declarations as values: to plain dicts and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schema.errors import DeclarationError
from schema.lifecompanion import tables as declared
from schema.model.change.dependencies import needs, ordered
from schema.model.objects import (
    Attribute,
    Check,
    Collation,
    Column,
    CompositeType,
    Compression,
    ContinuousAggregate,
    Domain,
    Enum,
    Extension,
    Function,
    Index,
    Job,
    Object,
    Policy,
    Refresh,
    RowSecurity,
    Sequence,
    Table,
    ValueRename,
    View,
)
from schema.model.properties import from_dict, to_dict


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from leaves(part)
    else:
        yield value


@pytest.mark.parametrize("table", declared(), ids=lambda table: table.name)
def test_an_object_survives_the_way_to_json_and_back(table: Table) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(table)))) == table


@pytest.mark.parametrize("declared", [
    Function("f", "BEGIN END", returns=None), Function("f", "BEGIN END"),
    ContinuousAggregate("a", "SELECT 1", refresh=Refresh(None, None), compression=Compression(None)),
    Enum("e", ("a", "b"), renames=(ValueRename("c", "b"),)), Job("j", "f", "1 day", config='{"a": 1}', max_retries=3),
    View("v", "SELECT 1", allow=("drops_view",), renamed_from="w"),
    Table("t", (Column("a", "int"),), row_security=RowSecurity((Policy("p", "true"),))),
], ids=repr)
def test_objects_of_every_kind_survive_it_with_fields_that_are_none(declared: Object) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(declared)))) == declared


def test_numbers_that_no_float_holds_exactly_survive_it() -> None:
    sequence = Sequence("s", maximum=2 ** 63 - 2, minimum=-(2 ** 63) + 1, cache=2 ** 53)
    properties = to_dict(sequence)
    assert (properties["maximum"], properties["cache"]) == ("9223372036854775806", 2 ** 53)
    assert from_dict(json.loads(json.dumps({**properties, "cache": float(2 ** 53)}))) == sequence


@pytest.mark.parametrize("table", declared(), ids=lambda table: table.name)
def test_dicts_hold_plain_values_and_no_nulls(table: Table) -> None:
    assert {type(leaf) for leaf in leaves(to_dict(table))} <= {str, bool, int}


def test_what_is_at_its_default_is_left_out() -> None:
    assert to_dict(Table("t", (Column("a", "int"),))) == {
        "kind": "table", "name": "t", "columns": [{"name": "a", "type": "int"}]}


def test_durations_are_readable_text() -> None:
    readings = to_dict(declared()[2])
    assert readings["retention"] == {"drop_after": "1 year"}
    assert readings["compression"]["after"] == "1 month"
    assert readings["hypertable"] == {"time": "measured_at", "chunk": "1 week"}


def test_numbers_that_arrive_as_floats_are_taken() -> None:
    values = {"kind": "table", "name": "t", "columns": [{"name": "a", "type": "bigint"}],
              "hypertable": {"time": "a", "chunk": 1000.0}}
    read = from_dict(values)
    assert read.hypertable is not None
    assert read.hypertable.chunk == "1000"


@pytest.mark.parametrize(("change", "message"), [
    ({"colour": "red"}, "t: key 'colour' is not known"),
    ({"columns": [{"name": "a", "type": "int", "nul": True}]}, "t.columns: key 'nul' is not known"),
    ({"kind": "trigger"}, "object of kind 'trigger' is not known"),
])
def test_a_wrong_key_is_named_with_those_allowed(change: dict[str, Any], message: str) -> None:
    values = {"kind": "table", "name": "t", "columns": [{"name": "a", "type": "int"}], **change}
    with pytest.raises(DeclarationError, match=message):
        from_dict(values)


def test_time_zones_change_every_timestamp_and_nothing_else() -> None:
    for plain, zoned in zip(declared(), declared("timestamptz"), strict=True):
        assert "timestamp" not in {column.type for column in zoned.columns}
        back = tuple(replace(column, type=column.type.replace("timestamptz", "timestamp")) for column in zoned.columns)
        assert replace(zoned, columns=back) == plain


def test_an_index_keeps_its_order_terms() -> None:
    index = Index("i", ("a", "b DESC NULLS LAST"), include=("c",), where="a > 0")
    table = Table("t", (Column("a", "int"), Column("b", "int"), Column("c", "int")), indexes=(index,))
    assert from_dict(to_dict(table)).indexes == (index,)


def test_one_name_in_two_schemas_is_told_apart_by_the_schema_that_is_named_with_it() -> None:
    one, other = (Table("t", (Column("x", "int"),), schema=schema) for schema in ("a", "b"))
    plain = Table("t", (Column("x", "int"),))
    view = View("v", "SELECT x FROM a.t", schema="b")
    assert needs(view, [one, view]) == [one]
    assert needs(view, [other, view, one]) == [one]
    assert needs(View("w", "SELECT x FROM t"), [one, other, plain]) == [plain]


def test_extensions_come_first_and_sequences_before_the_defaults_that_call_them() -> None:
    extension, numbers = Extension("citext"), Sequence("numbers", schema="app", owned_by="app.t.code")
    plain = Sequence("plain", owned_by="other.x")
    table = Table("t", (Column("code", "text", default="'X' || nextval('app.numbers')"),), schema="app")
    other = Table("other", (Column("x", "int"),))
    assert ordered([plain, table, numbers, other, extension]) == [extension, other, plain, numbers, table]
    assert needs(table, [table, numbers, extension]) == [numbers, extension]


def test_types_come_after_what_they_are_made_of() -> None:
    colour = Enum("colour", ("red",))
    words = Collation("words", locale="de")
    inner = CompositeType("inner_type", (Attribute("c", "colour[]"), Attribute("t", "text", collation="words")))
    outer = Domain("outer_type", type="inner_type[]", checks=(Check("c", "is_ok(VALUE)"),))
    is_ok = Function("is_ok", arguments="v inner_type[]", body="SELECT true", returns="boolean", language="sql")
    table = Table("t", (Column("o", "outer_type"),))
    assert ordered([table, outer, is_ok, inner, words, colour]) == [words, colour, inner, is_ok, outer, table]


def test_objects_come_after_their_dependencies_otherwise_in_the_given_order() -> None:
    view = View("top", "SELECT warmest FROM daily")
    warmest = View("warmest", "SELECT warmest FROM daily ORDER BY 1")
    daily = ContinuousAggregate("daily", "SELECT max(t) AS warmest FROM readings GROUP BY 1")
    readings = Table("readings", (Column("t", "mood"),))
    mood, other = Enum("mood", ("a",)), Table("other", (Column("a", "int"),))
    assert ordered([view, daily, warmest, other, readings, mood]) == [mood, readings, daily, warmest, view, other]
    assert ordered([warmest, view, readings, mood]) == [warmest, view, mood, readings]


def test_a_column_that_has_the_name_of_a_view_in_another_schema_is_no_reference() -> None:
    days = View("days", query="SELECT sum(errors) AS errors FROM stats.hours", schema="stats")
    errors = View("errors", query="SELECT errors FROM stats.days", schema="stats")
    assert ordered([errors, days]) == [days, errors]
    assert needs(days, [errors, days]) == []
