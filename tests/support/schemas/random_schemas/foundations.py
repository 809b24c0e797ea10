"""What random tables stand on, and what is called: types, sequences, collations, functions, jobs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schema.model.objects import (
    Aggregate,
    Attribute,
    Check,
    Collation,
    CompositeType,
    Domain,
    Enum,
    Function,
    Job,
    Object,
    Sequence,
)
from tests.support.schemas.random_schemas.layout import Layout, comments, grants
from tests.support.schemas.random_schemas.policies import runs

MOODS = ("bad", "fine", "good", "best")
PATHS = ("search_path TO 'public'", "work_mem TO '8MB'")


@st.composite
def foundations(draw: st.DrawFn, layout: Layout, *, second: bool) -> tuple[Object, ...]:
    """Draw all that columns and triggers may name, with other attributes each time."""
    schema: Any = {"schema": layout.types}
    other = draw(st.integers(0, 9)) == 0
    moods = MOODS[:draw(st.sampled_from((2, 3))) if other else draw(st.integers(layout.moods, 4)) if second
                  else layout.moods]
    share = Domain("share", "numeric(12,3)" if other else layout.share, comment=draw(comments()),
                   default=draw(st.sampled_from((None, "0", "1 + 1"))), grants=draw(grants("usage")),
                   checks=tuple(Check(f"share_{number}", text, comment=draw(comments()), valid=True)
                                for number, text in enumerate(("VALUE >= 0", "VALUE NOT IN (-1, -2)"))
                                if draw(st.booleans())), **schema)
    word = Domain("word", "varchar(70)", collation=layout.word,
                  checks=draw(st.sampled_from(((), (Check("word_known", "VALUE NOT IN ('x', 'y')"),)))), **schema)
    pair = CompositeType("pair", (Attribute("left_part", "bigint", comment=draw(comments())),
                                  Attribute("Right Part", "text")), comment=draw(comments()), **schema)
    return (Collation("german", "de-DE", comment=draw(comments()), **schema),
            Enum("mood", moods, comment=draw(comments()), grants=draw(grants("usage")), **schema),
            draw(sequence("numbers", layout)), share, word, pair, draw(stamp(layout)))


@st.composite
def sequence(draw: st.DrawFn, name: str, layout: Layout) -> Sequence:
    """Draw a sequence that fits into a smallint."""
    minimum, maximum = draw(st.sampled_from((None, 1))), draw(st.sampled_from((None, 30000)))
    return Sequence(name, schema=layout.types, type=draw(st.sampled_from(("smallint", "integer", "bigint"))),
                    start=draw(st.sampled_from((None, 100))), increment=draw(st.sampled_from((1, 10))),
                    minimum=minimum, maximum=maximum, cache=draw(st.sampled_from((1, 20))), cycle=draw(st.booleans()),
                    comment=draw(comments()), grants=draw(grants("usage", "select")))


@st.composite
def attributes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what a function has beside its body."""
    return {"volatility": draw(st.sampled_from(("volatile", "stable", "immutable"))),
            "parallel": draw(st.sampled_from(("unsafe", "restricted", "safe"))),
            "security_definer": draw(st.booleans()), "cost": draw(st.sampled_from((None, 7.0, 1000.0))),
            "settings": tuple(draw(st.sampled_from(((), PATHS[:1], PATHS)))), "comment": draw(comments()),
            "grants": draw(grants("execute"))}


@st.composite
def stamp(draw: st.DrawFn, layout: Layout) -> Function:
    """Draw a function for triggers."""
    note = draw(st.sampled_from(("", "    -- as it is\n")))
    given = {**draw(attributes()), "volatility": "volatile"}
    return Function("stamp", f"BEGIN\n{note}    RETURN NEW;\nEND", schema=layout.types, returns="trigger", **given)


@st.composite
def routines(draw: st.DrawFn, layout: Layout) -> tuple[Object, ...]:
    """Draw functions of several shapes, overloads among them, an aggregate function, a procedure and its jobs."""
    schema, drawn = layout.types, list[Object]()
    bodies = ("SELECT value * 2", "RETURN value * 2", "BEGIN ATOMIC\n SELECT (value * 2);\nEND")
    if draw(st.booleans()):
        drawn.append(Function("Twice It", draw(st.sampled_from(bodies)), "value bigint", "bigint", "sql",
                              schema=schema, strict=draw(st.booleans()), **draw(attributes())))
    if draw(st.booleans()):
        drawn.append(Function("Twice It", draw(st.sampled_from(bodies[:2])), "value numeric DEFAULT 7", "numeric",
                              "sql", schema=schema, **draw(attributes())))
    if draw(st.booleans()):
        drawn.append(Function("listed", "BEGIN RETURN QUERY SELECT 1; END", "VARIADIC rest integer[]", "SETOF integer",
                              schema=schema, rows=draw(st.sampled_from((None, 3.0))), **draw(attributes())))
    if draw(st.integers(0, 2)) == 0:
        drawn.append(Aggregate("total", "bigint", "int8pl", "bigint", schema=schema, comment=draw(comments()),
                               initcond=draw(st.sampled_from((None, "0"))), grants=draw(grants("execute")),
                               combinefunc=draw(st.sampled_from((None, "int8pl"))),
                               parallel=draw(st.sampled_from(("unsafe", "safe")))))
    if draw(st.integers(0, 2)) == 0:
        drawn += [Function("prune", "BEGIN PERFORM 1; END", "job_id integer, config jsonb", None, schema=schema),
                  *(Job(name, f"{schema}.prune" if schema != "public" else "prune",
                        draw(st.sampled_from(("1 day", "6 hours"))), draw(st.sampled_from((None, '{"keep": 1}'))),
                        paused=draw(st.booleans()), **draw(runs()))
                    for name in ("pruning", "Pruning, too") if draw(st.booleans()))]
    return tuple(drawn)


