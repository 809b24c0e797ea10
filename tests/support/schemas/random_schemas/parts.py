"""Indexes, triggers and row-level security of random tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from schema.model.names import quoted
from schema.model.objects import Column, Index, Policy, RowSecurity, Trigger
from tests.support.schemas.random_schemas.families import DOCUMENT, FAMILIES, LABELS, PAIR, RANGE, WORD
from tests.support.schemas.random_schemas.layout import EVERYBODY, READER, WRITER, Layout, Place, comments

SHAPES = ("plain", "ordered", "expression", "partial", "include", "unique", "hash", "gin", "brin", "gist")
NO_BTREE = (DOCUMENT, PAIR)


@st.composite
def indexes(draw: st.DrawFn, table: str, named: Sequence[Column], key: Sequence[str], shape: str) -> Index:
    """Draw an index of this shape over these columns; a unique one includes the key."""
    name, one = f"{table}_{shape}", draw(st.sampled_from(named))
    of = {family: [column for column in named if FAMILIES[column.name] is family]
          for family in (WORD, DOCUMENT, LABELS, RANGE)}
    options = draw(st.sampled_from(((), (), ("fillfactor = 70",))))
    if shape in ("expression", "ordered") and of[WORD]:
        word = quoted(draw(st.sampled_from(of[WORD])).name)
        term = f"lower({word})" if shape == "expression" else draw(st.sampled_from((
            f'{word} COLLATE "C"', f'{word} COLLATE "C" DESC NULLS LAST', f"({word}::text) text_pattern_ops DESC")))
        targets = draw(st.sampled_from(((), (250,)))) if shape == "expression" else ()
        return Index(name, (term, draw(st.sampled_from(("id", "id DESC")))), options=options, statistics=targets)
    if shape == "partial":
        conditions = [f"{quoted(one.name)} IS NOT NULL"]
        conditions += [f"{quoted(column.name)} IN ('a', 'b')" for column in of[WORD]]
        return Index(name, ("id",), where=draw(st.sampled_from(conditions)), options=options)
    if shape == "include":
        return Index(name, ("id DESC",), include=(one.name,))
    if shape == "unique":
        further = () if FAMILIES[one.name] in NO_BTREE else (quoted(one.name),)
        return Index(name, (*map(quoted, key), *further), unique=True, nulls_distinct=draw(st.booleans()))
    if shape == "hash":
        return Index(name, ("id",), method="hash")
    if shape == "gin" and (of[DOCUMENT] or of[LABELS]):
        word = quoted((of[DOCUMENT] or of[LABELS])[0].name)
        term = f"{word}{draw(st.sampled_from(('', ' jsonb_path_ops')))}" if of[DOCUMENT] else word
        return Index(name, (term,), method="gin", options=draw(st.sampled_from(((), ("fastupdate = off",)))))
    if shape == "brin":
        return Index(name, ("id",), method="brin", options=draw(st.sampled_from(((), ("pages_per_range = 32",)))))
    if shape == "gist" and of[RANGE]:
        return Index(name, (quoted(of[RANGE][0].name),), method="gist")
    order = draw(st.sampled_from(("", " DESC", " DESC NULLS LAST", " NULLS FIRST", " ASC")))
    if FAMILIES[one.name] in NO_BTREE:
        return Index(name, (f"id{order}",), options=options)
    return Index(name, (f"{quoted(one.name)}{order}", "id"), comment=draw(comments()), options=options)


@st.composite
def triggers(draw: st.DrawFn, layout: Layout, place: Place, parents: Sequence[Place], *,
             hyper: bool) -> tuple[Trigger, ...]:
    """Draw triggers that call `stamp`: none, one on rows, one on statements, and on a plain table a constraint."""
    calls, drawn = f"{layout.type('stamp')}()", []
    if draw(st.booleans()):
        fires = draw(st.sampled_from(("BEFORE UPDATE", "BEFORE INSERT OR UPDATE OF id", "AFTER UPDATE")))
        drawn.append(Trigger(f"{place.name}_stamp", fires, calls, disabled=draw(st.booleans()),
                             when=draw(st.sampled_from((None, "new.id > 0"))), comment=draw(comments())))
    if draw(st.integers(0, 3)) == 0:
        referencing = None if hyper else draw(st.sampled_from((None, "NEW TABLE AS added")))
        drawn.append(Trigger(f"{place.name} counts it.", "AFTER INSERT", calls, each="statement",
                             referencing=referencing, **draw(roles(hyper=hyper))))
    if not hyper and draw(st.integers(0, 2)) == 0:
        drawn.append(Trigger(f"{place.name}_late", "AFTER INSERT OR UPDATE", calls, constraint=True,
                             from_table=draw(st.sampled_from((None, *(_full(parent) for parent in parents)))),
                             **draw(deferred()), **draw(roles(hyper=hyper))))
    return tuple(drawn)


def _full(place: Place) -> str:
    return place.name if place.schema == "public" else f"{place.schema}.{place.name}"


@st.composite
def roles(draw: st.DrawFn, *, hyper: bool) -> dict[str, Any]:
    """Draw in which replication role a trigger fires."""
    return {} if hyper else {"role": draw(st.sampled_from(("origin", "origin", "replica", "always")))}


@st.composite
def deferred(draw: st.DrawFn) -> dict[str, Any]:
    """Draw whether a constraint is checked at the end of a transaction."""
    kind = draw(st.sampled_from(("no", "no", "can be", "is")))
    return {"deferrable": kind != "no", "initially_deferred": kind == "is"}


@st.composite
def row_security(draw: st.DrawFn, table: str, named: Sequence[Column]) -> RowSecurity | None:
    """Draw policies that show everybody every row, as the owner counts them."""
    if draw(st.integers(0, 3)):
        return None
    words = [f"{quoted(column.name)} NOT IN ('x', 'y')" for column in named
             if FAMILIES.get(column.name) is WORD and not column.null]
    shown = st.sampled_from(("true", "id > 0", "id = id", *words))
    policies = [Policy(f"{table}_all", using=draw(shown), check=draw(st.sampled_from((None, "true", "id > 0"))),
                       comment=draw(comments()))]
    if draw(st.booleans()):
        policies.append(Policy(f"{table} sees all.", using=draw(shown), command="select",
                               permissive=draw(st.booleans()),
                               roles=draw(st.sampled_from(((EVERYBODY,), (READER,), (READER, WRITER))))))
    if draw(st.booleans()):
        policies.append(Policy(f"{table}_adds", check=draw(shown), command="insert", permissive=draw(st.booleans())))
    return RowSecurity(tuple(policies), forced=draw(st.booleans()))

