"""Views, materialized views and continuous aggregates over random tables."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schema.lint.finding import Lint
from schema.model.names import quoted
from schema.model.objects import (
    ContinuousAggregate,
    Index,
    MaterializedView,
    Object,
    Retention,
    Statistics,
    Table,
    Trigger,
    View,
    ViewColumn,
)
from tests.support.schemas.random_schemas.families import FAMILIES, NUMBER, WORD
from tests.support.schemas.random_schemas.layout import Layout, comments, grants, sql_name
from tests.support.schemas.random_schemas.parts import NO_BTREE
from tests.support.schemas.random_schemas.policies import compressions, refreshes, runs

DEFAULTS = {NUMBER.value: ("5", "1 + 1"), WORD.value: ("'x'",)}


@st.composite
def views(draw: st.DrawFn, layout: Layout, table: Table) -> tuple[Object, ...]:
    """Draw what stands on one table: a view, a view on that, a materialized view, statistics."""
    drawn: list[Object] = []
    if draw(st.booleans()):
        drawn.append(draw(view(layout, table)))
        if draw(st.integers(0, 2)) == 0:
            drawn.append(View(f"{table.name} Above", f"SELECT * FROM {sql_name(table.schema, drawn[0].name)}",
                              schema=layout.types, comment=draw(comments())))
    if draw(st.integers(0, 2)) == 0:
        drawn.append(draw(materialized(table)))
    names = [column.name for column in table.columns if FAMILIES.get(column.name) not in (None, *NO_BTREE)]
    if len(names) > 1 and draw(st.integers(0, 2)) == 0:
        kinds = draw(st.lists(st.sampled_from(("ndistinct", "dependencies", "mcv")), min_size=1, unique=True))
        drawn.append(Statistics(f"{table.name}_together", table.full_name, tuple(names[:2]), tuple(sorted(kinds)),
                                schema=table.schema, comment=draw(comments())))
    return tuple(drawn)


def conditions(table: Table) -> list[str]:
    """List conditions for queries on this table."""
    words = [quoted(column.name) for column in table.columns if FAMILIES.get(column.name) is WORD]
    return ["", " WHERE id BETWEEN 1 AND 10", *(f" WHERE {word} IN ('word 1', 'word 2')" for word in words)]


@st.composite
def view(draw: st.DrawFn, layout: Layout, table: Table) -> View:
    """Draw a view of some columns of one table."""
    named = draw(st.lists(st.sampled_from([column.name for column in table.columns]), min_size=1, unique=True))
    defaults = {name: DEFAULTS.get(FAMILIES[name].value, ()) if name in FAMILIES else () for name in named}
    if layout.places[table.name].hyper:
        defaults[layout.places[table.name].time] = ()
    parts = [ViewColumn(name, draw(st.sampled_from((None, *defaults[name]))), draw(comments()))
             for name in named if draw(st.integers(0, 3)) == 0]
    calls = f"{layout.type('stamp')}()"
    triggers = (Trigger("instead", "INSTEAD OF INSERT", calls, comment=draw(comments())),) \
        if draw(st.integers(0, 3)) == 0 else ()
    return View(
        f"{table.name}_view",
        f"SELECT {', '.join(map(quoted, named))} FROM {sql_name(table.schema, table.name)}"
        f"{draw(st.sampled_from(conditions(table)))}",
        schema=table.schema, security_barrier=draw(st.booleans()), security_invoker=draw(st.booleans()),
        check_option=None if triggers else draw(st.sampled_from((None, "local", "cascaded"))), triggers=triggers,
        columns=tuple(part for part in parts if part.default or part.comment), comment=draw(comments()),
        grants=draw(grants("select", "insert", columns=tuple(named))))


@st.composite
def materialized(draw: st.DrawFn, table: Table) -> MaterializedView:
    """Draw a materialized view of the key and some columns."""
    named = draw(st.lists(st.sampled_from([column.name for column in table.columns if column.name != "id"]),
                          unique=True))
    indexes = draw(st.sampled_from(((), (Index(f"{table.name}_stored_id", ("id",), unique=True),))))
    return MaterializedView(
        f"{table.name}_stored",
        f"SELECT {', '.join(map(quoted, ('id', *named)))} FROM {sql_name(table.schema, table.name)}"
        f"{draw(st.sampled_from(conditions(table)))}",
        schema=table.schema, indexes=indexes, options=draw(st.sampled_from(((), ("fillfactor = 90",)))),
        columns=draw(st.sampled_from(((), (ViewColumn("id", comment="The number"),)))),
        with_data=draw(st.booleans()), comment=draw(comments()), grants=draw(grants("select")))


@st.composite
def aggregates(draw: st.DrawFn, table: Table) -> tuple[Object, ...]:
    """Draw an aggregate by day or week of one hypertable, and perhaps a view or another aggregate on it."""
    assert table.hypertable
    names = [column.name for column in table.columns if FAMILIES.get(column.name) is NUMBER]
    values = ["count(*) AS n", *(f"max({quoted(name)}) AS {quoted('most ' + name)}" for name in names)]
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
    bucket, name = draw(st.sampled_from(("1 day", "7 days"))), f"{table.name} days"
    days = ContinuousAggregate(
        name,
        f"SELECT time_bucket(interval '{bucket}', {quoted(table.hypertable.time)}) AS \"Bucket\", {', '.join(chosen)} "
        f"FROM {sql_name(table.schema, table.name)}{draw(st.sampled_from(conditions(table)))} GROUP BY 1",
        schema=table.schema, **draw(stored(name, limited=table.retention is not None)))
    if draw(st.integers(0, 2)):
        return (days,)
    months = f"{table.name} months"
    return days, ContinuousAggregate(
        months, f"SELECT time_bucket('28 days', \"Bucket\") AS \"Bucket\", count(*) AS n "
        f"FROM {sql_name(table.schema, name)} GROUP BY 1", schema=table.schema,
        **draw(stored(months, limited=days.retention is not None)))


@st.composite
def stored(draw: st.DrawFn, name: str, *, limited: bool) -> dict[str, Any]:
    """Draw all of an aggregate but its query."""
    retention = Retention("50 years", **draw(runs())) if draw(st.integers(0, 2)) == 0 else None
    policies = draw(refreshes(limited=limited or retention is not None))
    return {"real_time": draw(st.booleans()), "refresh": policies[0] if policies else None,
            "further_refreshes": policies[1:], "retention": retention,
            "indexes": draw(st.sampled_from(((), (Index(f"{name}_bucket", ('"Bucket" DESC',)),)))),
            "compression": draw(st.one_of(st.none(), st.none(), compressions("Bucket", (), by_creation=False))),
            "chunk": draw(st.sampled_from((None, None, "70 days", "90 days"))),
            "comment": draw(comments()), "grants": draw(grants("select")), "allow": tuple(Lint)}
