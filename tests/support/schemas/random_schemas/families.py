"""Columns of random tables: those of one name hold values of one family, so that the data allows every type change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from schema.model.names import quoted
from schema.model.objects import Column, Numbers
from tests.support.schemas.random_schemas.layout import Layout, Place, comments

# Stands for the schema of types, with its dot, in what follows.
TYPES = "@types."


@dataclass(frozen=True)
class Family:
    """Columns with the same values: their types, SQL for the n-th value, and checks that every value passes.

    `toasted`: they can be stored in several ways. `collated`: they have an order of text.
    """

    types: tuple[str, ...]
    value: str
    defaults: tuple[str, ...]
    checks: tuple[str, ...] = ()
    numeric: bool = False
    toasted: bool = False
    collated: bool = False
    indexed: bool = True


NUMBER = Family(("smallint", "integer", "bigint", "numeric(10,2)", "double precision", "@types.share"), "n",
                ("0", "7", "1 + 1", "nextval('@types.numbers')"),
                ("{0} >= 0", "{0} BETWEEN -5 AND 100000", "{0} <> -1 OR {0} IS NULL", "{0} NOT IN (-1, -2)"),
                numeric=True)
WORD = Family(("text", "varchar(30)", "varchar(60)", "varchar", "char(40)", "@types.word"), "'word ' || n",
              ("'none'", "''", "upper('a')", "'it''s'"),
              ("length({0}) < 50", "{0} IN ('a', 'b') OR {0} <> 'c'", "{0} ~ '^[^%]*$'", "{0} NOT IN ('x', 'y')",
               "{0} <> ALL (ARRAY['x', 'y'])", "length({0}) >= 0 OR {0} LIKE '%a%'"),
              toasted=True, collated=True)
FLAG = Family(("boolean",), "n % 2 = 0", ("true", "false"), ("{0} OR NOT {0}",))
MOMENT = Family(("timestamp", "timestamptz", "timestamp(3)"), "timestamp '2026-01-01' + n * interval '5 days'",
                ("now()", "'2026-01-01'", "CURRENT_TIMESTAMP"),
                ("{0} > '1990-01-01'", "{0} BETWEEN '1990-01-01' AND '2190-01-01'"))
DOCUMENT = Family(("jsonb",), "jsonb_build_object('n', n)", ("'{}'", "'[1, 2]'"), ("jsonb_typeof({0}) <> 'null'",),
                  toasted=True)
IDENTITY = Family(("uuid",), "md5(n::text)::uuid", ("gen_random_uuid()",))
LABELS = Family(("text[]", "varchar(20)[]"), "ARRAY['a', n::text]", ("'{}'", "ARRAY['x']"), ("cardinality({0}) >= 0",),
                toasted=True)
MOOD = Family(("@types.mood",), "'fine'", ("'fine'",), ("{0} <> 'bad'", "{0} IN ('fine', 'bad')"))
RANGE = Family(("int8range",), "int8range(n * 10, n * 10 + 5)", ("'empty'",), ("NOT isempty({0}) OR isempty({0})",))
PAIR = Family(("@types.pair",), "ROW(n, 'word ' || n)::@types.pair", ("NULL",), ("({0}).left_part >= 0",),
              indexed=False)
FAMILIES: Mapping[str, Family] = {
    "amount": NUMBER, "count": NUMBER, "user": NUMBER, "position": NUMBER, "title": WORD, "note": WORD,
    "Odd Name": WORD, 'a "b"': WORD, "order": WORD, "flag": FLAG, "seen": MOMENT, "timestamp": MOMENT,
    "data": DOCUMENT, "token": IDENTITY, "labels": LABELS, "mood": MOOD, "during": RANGE, "pair": PAIR}


def of_types(layout: Layout, text: str) -> str:
    """Return the text with the schema in which the types of this pair are."""
    return text.replace(TYPES, "" if layout.types == "public" else f"{quoted(layout.types)}.")


@st.composite
def columns(draw: st.DrawFn, layout: Layout, name: str) -> Column:
    """Draw a column of the family that belongs to this name."""
    family = FAMILIES[name]
    type_ = draw(st.sampled_from(family.types))
    defaults = [default for default in family.defaults
                if not (type_ == "@types.word" and default == "''") and default != "NULL"]
    default = draw(st.sampled_from((None, *defaults)))
    return Column(name, of_types(layout, type_), null=draw(st.booleans()) or default is None,
                  default=default and of_types(layout, default), comment=draw(comments()),
                  **draw(options(layout, family, type_)))


@st.composite
def options(draw: st.DrawFn, layout: Layout, family: Family, type_: str) -> dict[str, Any]:
    """Draw how a column is stored, ordered and counted by ANALYZE; mostly as the server has it."""
    chosen: dict[str, Any] = {}
    if draw(st.integers(0, 3)) == 0:
        chosen["statistics"] = draw(st.sampled_from((0, 50, 1000)))
    if family.toasted and draw(st.integers(0, 3)) == 0:
        chosen["storage"] = draw(st.sampled_from(("plain", "external", "extended", "main")))
    if family.toasted and draw(st.integers(0, 3)) == 0:
        chosen["compression"] = draw(st.sampled_from(("pglz", "lz4")))
    if family.collated and type_ != "@types.word" and draw(st.integers(0, 3)) == 0:
        chosen["collation"] = draw(st.sampled_from(('"C"', '"POSIX"', layout.type("german"))))
    return chosen


@st.composite
def ids(draw: st.DrawFn, place: Place, *, hyper: bool) -> Column:
    """Draw how the key counts: not at all, by a sequence of its own, or as an identity."""
    kind = place.identity if hyper or place.hyper else draw(st.sampled_from((None, "serial", "always", "by default")))
    numbers = draw(st.sampled_from((None, Numbers(1000), Numbers(start=5, increment=2, cache=10),
                                    Numbers(minimum=1, maximum=100000, cycle=True)))) if kind else None
    return Column("id", "bigint", null=False, serial=kind == "serial",
                  identity=kind if kind in ("always", "by default") else None, numbers=numbers)


def value_of(layout: Layout, name: str) -> str:
    """SQL for the n-th value of the column of this name."""
    return of_types(layout, FAMILIES[name].value)
