"""Random tables: columns, constraints and options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from schema.lint.finding import Lint
from schema.lint.indexes import bare
from schema.model.names import quoted
from schema.model.objects import Check, Column, Exclusion, ForeignKey, Key, Table
from tests.support.schemas.random_schemas.families import FAMILIES, NUMBER, RANGE, columns, ids, of_types, value_of
from tests.support.schemas.random_schemas.layout import Layout, Place, comments, grants
from tests.support.schemas.random_schemas.parts import NO_BTREE, SHAPES, deferred, indexes, row_security, triggers
from tests.support.schemas.random_schemas.policies import hypertable_parts

ROWS = 20
STORAGE = ("fillfactor = 80", "autovacuum_enabled = false", "toast.autovacuum_enabled = false",
           "autovacuum_vacuum_scale_factor = 0.05")


@st.composite
def tables(draw: st.DrawFn, layout: Layout, place: Place, earlier: Sequence[Table], *, hyper: bool) -> Table:
    """Draw one table: a key, random columns, and parts."""
    names = draw(st.lists(st.sampled_from(sorted(FAMILIES)), min_size=1, max_size=5, unique=True))
    named = [draw(columns(layout, name)) for name in names if not place.hyper or name != place.time]
    key = ("id", place.time) if hyper else ("id",)
    times = [Column(place.time, "timestamp", null=False)] if place.hyper else []
    named = named or [draw(columns(layout, "amount"))]
    unlogged = not hyper and draw(st.integers(0, 5)) == 0
    possible = [table for table in earlier if table.hypertable is None and table.unlogged <= unlogged]
    parents = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    own = [draw(ids(place, hyper=hyper)), *times, *(Column(f"{table.name}_id", "bigint") for table in parents)]
    keys = draw(unique_keys(place.name, key, named, hyper=hyper))
    # Named by their shape: TimescaleDB confuses indexes of a chunk that have the same columns.
    shapes = draw(st.lists(st.sampled_from(SHAPES), max_size=3, unique=True))
    drawn = [draw(indexes(place.name, named, key, shape)) for shape in shapes]
    checked = [(number, column) for number, column in enumerate(named) if FAMILIES[column.name].checks]
    checks = [draw(check(layout, place.name, number, column, hyper=hyper)) for number, column in checked
              if draw(st.integers(0, 1))]
    secured = draw(row_security(place.name, named))
    numeric = next((column for column in named if FAMILIES[column.name] is NUMBER), None)
    doubled = [Column("doubled", "numeric", generated=f"{quoted(numeric.name)}::numeric * 2")] \
        if numeric and draw(st.booleans()) else []
    return Table(
        place.name, (*own, *named, *doubled), schema=place.schema, keys=keys,
        foreign_keys=tuple(draw(foreign_key(place.name, table)) for table in parents), checks=tuple(checks),
        exclusions=() if hyper else draw(exclusions(place.name, named)),
        indexes=tuple({bare(index): index for index in drawn}.values()),
        triggers=draw(triggers(layout, place, [layout.places[table.name] for table in parents], hyper=hyper)),
        row_security=secured, unlogged=unlogged, comment=draw(comments()), allow=tuple(Lint),
        grants=draw(grants("select", "insert", "update", "delete", columns=tuple(column.name for column in named))),
        **draw(storage(keys, hyper=hyper, toasted=any(
            column.type in ("text", "jsonb", "text[]") and column.storage != "plain" for column in named))),
        **(draw(hypertable_parts(place.time, (keys[0].name,), secured=secured is not None)) if hyper else {}))


@st.composite
def unique_keys(draw: st.DrawFn, name: str, key: tuple[str, ...], named: Sequence[Column], *,
                hyper: bool) -> tuple[Key, ...]:
    """Draw the primary key, which others refer to, and perhaps a unique one with all options."""
    primary = Key(f"{name}_pkey", key, primary=True, comment=draw(comments()),
                  options=draw(st.sampled_from(((), (), ("fillfactor = 60",)))))
    sortable = [column.name for column in named if FAMILIES[column.name] not in NO_BTREE]
    if not sortable or draw(st.integers(0, 2)):
        return (primary,)
    first, carried = draw(st.sampled_from(sortable)), draw(st.sampled_from([column.name for column in named]))
    return primary, Key(f"{name}_{first}_key", (first, *key), nulls_distinct=draw(st.booleans()),
                        include=(carried,) if carried != first and draw(st.booleans()) else (),
                        **({} if hyper else draw(deferred())))


@st.composite
def check(draw: st.DrawFn, layout: Layout, name: str, number: int, column: Column, *, hyper: bool) -> Check:
    """Draw a check that every row fulfils."""
    expression = draw(st.sampled_from(FAMILIES[column.name].checks)).format(quoted(column.name))
    return Check(f"{name}_{number}", of_types(layout, expression), comment=draw(comments()),
                 no_inherit=not hyper and draw(st.integers(0, 3)) == 0,
                 valid=hyper or draw(st.integers(0, 3)) > 0)


@st.composite
def foreign_key(draw: st.DrawFn, name: str, parent: Table) -> ForeignKey:
    """Draw a foreign key with every option that one column can have."""
    column = f"{parent.name}_id"
    on_delete = draw(st.sampled_from(("no action", "restrict", "cascade", "set null")))
    return ForeignKey(f"{name}_{parent.name}_fkey", (column,), parent.full_name, on_delete=on_delete,
                      on_update=draw(st.sampled_from(("no action", "cascade"))),
                      match=draw(st.sampled_from(("simple", "full"))),
                      set_columns=(column,) if on_delete == "set null" and draw(st.booleans()) else (),
                      comment=draw(comments()), **draw(deferred()))


@st.composite
def exclusions(draw: st.DrawFn, name: str, named: Sequence[Column]) -> tuple[Exclusion, ...]:
    """Draw no exclusion constraint, or one that every row fulfils."""
    if draw(st.integers(0, 3)):
        return ()
    elements, method = (("id WITH =",), draw(st.sampled_from(("btree", "hash"))))
    if any(FAMILIES[column.name] is RANGE for column in named):
        elements, method = ("during WITH &&",), "gist"
    return (Exclusion(f"{name}_once", elements, method, where=draw(st.sampled_from((None, "id > 0"))),
                      options=draw(st.sampled_from(((), ("fillfactor = 70",)))), comment=draw(comments()),
                      **draw(deferred())),)


@st.composite
def storage(draw: st.DrawFn, keys: Sequence[Key], *, hyper: bool, toasted: bool) -> dict[str, Any]:
    """Draw storage parameters, the index by which rows are replicated, and the one that CLUSTER follows; only a toasted
    table keeps parameters of its TOAST table."""
    parts: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        chosen = draw(st.lists(st.sampled_from(STORAGE), unique=True))
        parts["options"] = tuple(sorted(option for option in chosen if toasted or not option.startswith("toast.")))
    if not hyper:
        parts["replica_identity"] = draw(st.sampled_from(("default", "default", "full", "nothing", keys[0].name)))
        parts["cluster"] = draw(st.sampled_from((None, None, keys[0].name)))
    return parts


def fill(layout: Layout, table: Table) -> str:
    """Return SQL that inserts ROWS rows."""
    place = layout.places[table.name]
    values = {"id": "n"}
    if place.hyper:
        values[place.time] = "timestamp '2026-01-01' + n * interval '3 days'"
    wanted = {column.name: values.get(column.name)
              or ("n" if column.name.endswith("_id") else value_of(layout, column.name))
              for column in table.columns if not column.generated}
    names, values_ = ", ".join(map(quoted, wanted)), ", ".join(wanted.values())
    return (f"INSERT INTO {place.sql} ({names}) OVERRIDING SYSTEM VALUE SELECT {values_} "
            f"FROM generate_series(1, {ROWS}) n")
