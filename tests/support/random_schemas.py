"""Random declared schemas, and rows that fit them, for hypothesis.

Columns of one name hold values of one family whatever their type, so that the data allows every type change between two
schemas; no value is NULL, and values of unique columns are unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from schema.lint.finding import Lint
from schema.lint.indexes import bare
from schema.model.objects import (
    Check,
    Column,
    Compression,
    ContinuousAggregate,
    Enum,
    ForeignKey,
    Function,
    Hypertable,
    Index,
    Key,
    Object,
    Policy,
    Refresh,
    Retention,
    RowSecurity,
    Table,
    Trigger,
    View,
)

ROWS = 20


@dataclass(frozen=True)
class Family:
    """Columns with the same values: their types, SQL for the n-th value, and checks that every value passes."""

    types: tuple[str, ...]
    value: str
    defaults: tuple[str, ...]
    checks: tuple[str, ...] = ()
    numeric: bool = False


NUMBER = Family(("smallint", "integer", "bigint", "numeric(10,2)", "double precision"), "n", ("0", "7", "1 + 1"),
                ("{0} >= 0", "{0} BETWEEN -5 AND 100000", "{0} <> -1 OR {0} IS NULL"), numeric=True)
WORD = Family(("text", "varchar(30)", "varchar(60)", "char(40)"), "'word ' || n", ("'none'", "''", "upper('a')"),
              ("length({0}) < 50", "{0} IN ('a', 'b') OR {0} <> 'c'", "{0} ~ '^[^%]*$'"))
FLAG = Family(("boolean",), "n % 2 = 0", ("true", "false"), ("{0} OR NOT {0}",))
MOMENT = Family(("timestamp", "timestamptz"), "timestamp '2026-01-01' + n * interval '5 days'",
                ("now()", "'2026-01-01'"), ("{0} > '1990-01-01'",))
DOCUMENT = Family(("jsonb",), "jsonb_build_object('n', n)", ("'{}'", "'[1, 2]'"), ("jsonb_typeof({0}) <> 'null'",))
IDENTITY = Family(("uuid",), "md5(n::text)::uuid", ("gen_random_uuid()",))
LABELS = Family(("text[]", "varchar(20)[]"), "ARRAY['a', n::text]", ("'{}'", "ARRAY['x']"))
MOOD = Family(("mood",), "'fine'::mood", ("'fine'",), ("{0} <> 'bad'", "{0} IN ('fine', 'bad')"))
FAMILIES = {"amount": NUMBER, "count": NUMBER, "title": WORD, "note": WORD, "flag": FLAG, "seen": MOMENT,
            "data": DOCUMENT, "token": IDENTITY, "Odd Name": WORD, "user": NUMBER, "labels": LABELS, "mood": MOOD}
MOODS = ("bad", "fine", "good", "best")
TABLES = ("alpha", "beta", "gamma")
CHUNKS = ("7 days", "1 week", "1 mon", "10 days", "36:00:00")


def quoted(name: str) -> str:
    """Return the column's name as SQL."""
    return f'"{name}"' if name in ("Odd Name", "user") else name


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    """Draw a column of the family that belongs to this name."""
    family = FAMILIES[name]
    default = draw(st.sampled_from((None, *family.defaults)))
    return Column(name, draw(st.sampled_from(family.types)), null=draw(st.booleans()) or default is None,
                  default=default, comment=draw(st.sampled_from((None, "A column", "It's \"quoted\" \\ odd"))))


@st.composite
def indexes(draw: st.DrawFn, table: str, named: Sequence[Column], key: Sequence[str], number: int) -> Index:
    """Draw an index of a random shape over these columns; a unique one includes the key."""
    name = f"{table}_i{number}"
    shape = draw(st.sampled_from(("plain", "plain", "expression", "partial", "include", "unique", "hash", "gin")))
    one = draw(st.sampled_from(named))
    words = [column for column in named if FAMILIES[column.name] is WORD]
    documents = [column for column in named if FAMILIES[column.name] is DOCUMENT]
    if shape == "expression" and words:
        word = draw(st.sampled_from(words))
        return Index(name, (f"lower({quoted(word.name)})", draw(st.sampled_from(("id", "id DESC")))))
    if shape == "partial":
        return Index(name, ("id",), where=f"{quoted(one.name)} IS NOT NULL")
    if shape == "include":
        return Index(name, ("id DESC",), include=(one.name,))
    if shape == "unique":
        return Index(name, (*key, quoted(one.name)), unique=True) if FAMILIES[one.name] is not DOCUMENT \
            else Index(name, tuple(key), unique=True)
    if shape == "hash":
        return Index(name, ("id",), method="hash")
    if shape == "gin" and documents:
        return Index(name, (quoted(documents[0].name),), method="gin")
    order = draw(st.sampled_from(("", " DESC", " DESC NULLS LAST", " NULLS FIRST", " ASC")))
    return Index(name, (f"{quoted(one.name)}{order}", "id"), comment=draw(st.sampled_from((None, "An index"))))


@st.composite
def tables(draw: st.DrawFn, name: str, earlier: Sequence[str], *, hyper: bool, timescale: bool = True) -> Table:
    """Draw one table: a key, random columns, and parts."""
    names = draw(st.lists(st.sampled_from(sorted(FAMILIES)), min_size=1, max_size=5, unique=True))
    named = [draw(columns(column)) for column in names]
    serial = draw(st.booleans())
    own = [Column("id", "bigint", null=False, serial=serial)]
    key: tuple[str, ...] = ("id",)
    if hyper:
        own.append(Column("at", "timestamp", null=False))
        key = ("id", "at")
    parents = [table for table in earlier if draw(st.booleans())]
    own += [Column(f"{parent}_id", "bigint") for parent in parents]
    checks = [Check(f"{name}_{n}", draw(st.sampled_from(FAMILIES[column.name].checks)).format(quoted(column.name)))
              for n, column in enumerate(named) if bool(FAMILIES[column.name].checks) and draw(st.booleans())]
    if draw(st.booleans()) and any(FAMILIES[column.name].numeric for column in named):
        number = next(column for column in named if FAMILIES[column.name].numeric)
        named.append(Column("doubled", "numeric", generated=f"{quoted(number.name)}::numeric * 2"))
    return Table(
        name, (*own, *named),
        keys=(Key(f"{name}_pkey", key, primary=True),),
        foreign_keys=tuple(ForeignKey(f"{name}_{parent}_fkey", (f"{parent}_id",), parent,
                                      on_delete=draw(st.sampled_from(("no action", "cascade", "set null"))))
                           for parent in parents),
        checks=tuple(checks),
        indexes=tuple({bare(index): index for index in (
            draw(indexes(name, [column for column in named if column.name != "doubled"], key, n))
            for n in range(draw(st.integers(0, 3))))}.values()),
        comment=draw(st.sampled_from((None, "A table"))), allow=tuple(Lint),
        **(draw(policies(names)) if hyper and timescale else {}))


@st.composite
def policies(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    """Draw the hypertable settings of a table, and the policies that need them."""
    parts: dict[str, Any] = {"hypertable": Hypertable("at", draw(st.sampled_from(CHUNKS)))}
    if draw(st.booleans()):
        parts["retention"] = Retention(draw(st.sampled_from(("30 years", "40 years", "600 months"))),
                                       schedule=draw(st.sampled_from((None, "1 day", "06:00:00"))),
                                       paused=draw(st.booleans()))
    if draw(st.integers(0, 2)) == 0:
        parts["compression"] = Compression(draw(st.sampled_from((None, "10 years", "3 mons"))),
                                           segment_by=draw(st.sampled_from(((), ("id",)))),
                                           order_by=draw(st.sampled_from((("at DESC",), ("at",)))))
    return parts


@st.composite
def pairs(draw: st.DrawFn) -> tuple[tuple[Object, ...], tuple[Object, ...]]:
    """Draw two schemas; a hypertable of the first is one in the second too, as that cannot be undone."""
    hyper = {name: draw(st.sampled_from((None, "both", "second"))) for name in TABLES}
    return draw(_schema(hyper, second=False)), draw(_schema(hyper, second=True))


@st.composite
def _schema(draw: st.DrawFn, hyper: dict[str, str | None], *, second: bool) -> tuple[Object, ...]:
    """Draw an enum, a trigger function, tables, and views on them, each after its dependencies."""
    declared: list[Table] = []
    for name in draw(st.lists(st.sampled_from(TABLES), min_size=1, max_size=3, unique=True)):
        is_hyper = hyper[name] == "both" or (second and hyper[name] == "second")
        earlier = [table.name for table in declared if table.hypertable is None]
        table = draw(tables(name, earlier, hyper=is_hyper))
        # The columnstore takes no row-level security.
        secured = draw(row_security(name)) if table.compression is None else None
        declared.append(replace(table, triggers=draw(triggers(name)), row_security=secured))
    views: list[Object] = [draw(view(table)) for table in declared if draw(st.booleans())]
    views += [draw(aggregate(table)) for table in declared
              if table.hypertable and table.row_security is None and draw(st.booleans())]
    moods = MOODS[:draw(st.integers(2, len(MOODS)))]
    return (Enum("mood", moods, comment=draw(st.sampled_from((None, "A mood")))), draw(stamp()), *declared, *views)


@st.composite
def stamp(draw: st.DrawFn) -> Function:
    """Draw a function for triggers."""
    note = draw(st.sampled_from(("", "    -- as it is\n")))
    return Function("stamp", f"BEGIN\n{note}    RETURN NEW;\nEND", returns="trigger",
                    security_definer=draw(st.booleans()),
                    settings=draw(st.sampled_from(((), ("search_path TO 'public'",)))))


@st.composite
def triggers(draw: st.DrawFn, table: str) -> tuple[Trigger, ...]:
    """Draw no trigger, or one that calls `stamp`."""
    if draw(st.booleans()):
        return ()
    return (Trigger(f"{table}_stamp", draw(st.sampled_from(("BEFORE UPDATE", "BEFORE INSERT OR UPDATE OF id"))),
                    "stamp()", disabled=draw(st.booleans()),
                    when=draw(st.sampled_from((None, "new.id > 0"))),
                    comment=draw(st.sampled_from((None, "Stamps")))),)


@st.composite
def row_security(draw: st.DrawFn, table: str) -> RowSecurity | None:
    """Draw policies that show everybody every row, as the owner counts them."""
    if draw(st.integers(0, 3)):
        return None
    return RowSecurity((Policy(f"{table}_all", using=draw(st.sampled_from(("true", "id > 0", "id = id"))),
                               command=draw(st.sampled_from(("all", "select")))),), forced=False)


@st.composite
def view(draw: st.DrawFn, table: Table) -> View:
    """Draw a view of some columns of one table."""
    named = draw(st.lists(st.sampled_from([column.name for column in table.columns]), min_size=1, unique=True))
    where = draw(st.sampled_from(("", " WHERE id BETWEEN 1 AND 10")))
    return View(f"{table.name}_view", f"SELECT {', '.join(map(quoted, named))} FROM {table.name}{where}")


@st.composite
def aggregate(draw: st.DrawFn, table: Table) -> ContinuousAggregate:
    """Draw an aggregate by day or week of one hypertable, with minimum and maximum of a number where it has one."""
    numbers = [column.name for column in table.columns if column.name in FAMILIES and FAMILIES[column.name].numeric]
    values = ["count(*) AS n", *(f"max({quoted(name)}) AS most_{name}" for name in numbers)]
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, unique=True))
    bucket = draw(st.sampled_from(("1 day", "7 days")))
    return ContinuousAggregate(
        f"{table.name}_days",
        f"SELECT time_bucket(interval '{bucket}', at) AS bucket, {', '.join(chosen)} FROM {table.name} GROUP BY 1",
        real_time=draw(st.booleans()),
        refresh=draw(st.sampled_from((None, Refresh("2 months", "1 day"), Refresh("3 months", None, "1 day", True)))),
        retention=draw(st.sampled_from((None, Retention("50 years")))),
        indexes=draw(st.sampled_from(((), (Index(f"{table.name}_days_bucket", ("bucket DESC",)),)))),
        comment=draw(st.sampled_from((None, "Days"))), allow=tuple(Lint))


def fill(table: Table) -> str:
    """Return SQL that inserts ROWS rows."""
    values = {"id": "n", "at": "timestamp '2026-01-01' + n * interval '3 days'"}
    wanted = {column.name: values.get(column.name)
              or ("n" if column.name.endswith("_id") else FAMILIES[column.name].value)
              for column in table.columns if not column.generated}
    names, values_ = ", ".join(map(quoted, wanted)), ", ".join(wanted.values())
    return f"INSERT INTO {table.full_name} ({names}) SELECT {values_} FROM generate_series(1, {ROWS}) n"
