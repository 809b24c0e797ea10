"""Bring declared and live objects to the same words, so that equal things compare equal, and back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from schema.aggregates import aggregate_query
from schema.kinds import registry
from schema.model import intervals
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Declared,
    Hypertable,
    Refresh,
    Reorder,
    Retention,
    Table,
)
from schema.model.sql_names import order_term

O = TypeVar("O", bound=Declared)  # noqa: E741 (the object)


def settle(wanted: O, live: O | None) -> O:
    """`wanted` with the live text for each interval that means the same, and for each schedule left to the server."""
    own = registry.of(wanted).settled
    if own is not None:
        return cast(O, own(wanted, live))
    changed: dict[str, Any] = {}
    if isinstance(wanted, Table):
        changed["compression"] = _with_order(wanted)
        changed["columns"] = _with_nulls(wanted)
    if isinstance(wanted, ContinuousAggregate):
        grouping = aggregate_query.bucket(wanted.query)
        changed["compression"] = _ordered(wanted.compression, grouping.name) if grouping else wanted.compression
        if isinstance(live, ContinuousAggregate) and aggregate_query.same(wanted.query, live.query):
            changed["query"] = live.query
    if live is not None:
        for part, settled in SETTLED.items():
            mine = changed.get(part, getattr(wanted, part, None))
            theirs = getattr(live, part, None)
            if mine is not None and theirs is not None:
                changed[part] = settled(mine, theirs)
    return replace(wanted, **changed) if changed else wanted


def in_declared_words(declared: Any, wanted: Any, live: Any) -> Any:
    """`live`, with every part that equals `wanted` written as `declared` has it; parts nobody declared are left out."""
    if live == wanted:
        return declared
    if is_dataclass(live) and not isinstance(live, type) and type(live) is type(wanted):
        changed = {each.name: in_declared_words(*(getattr(one, each.name) for one in (declared, wanted, live)))
                   for each in fields(live)}
        return replace(live, **changed)
    if isinstance(live, tuple) and all(hasattr(each, "name") for each in (*live, *wanted)):
        found = {each.name: each for each in live}
        return tuple(in_declared_words(mine, theirs, found[mine.name])
                     for mine, theirs in zip(declared, wanted, strict=True) if mine.name in found)
    return live


def equal(wanted: Declared, live: Declared) -> bool:
    """Whether the live object is the wanted one; what nobody declared does not count."""
    return bool(in_declared_words(wanted, wanted, live) == wanted)


def _hypertable(wanted: Hypertable, live: Hypertable) -> Hypertable:
    dimensions = {each.column: each for each in live.dimensions}
    same = set(wanted.tablespaces) == set(live.tablespaces)
    return replace(
        wanted, chunk=_span(wanted.chunk, live.chunk), now=wanted.now and wanted.now.removeprefix("public."),
        tablespaces=live.tablespaces if same else wanted.tablespaces,
        dimensions=tuple(replace(each, interval=_span(each.interval, dimensions[each.column].interval))
                         if each.column in dimensions else each for each in wanted.dimensions))


def _span(wanted: Any, live: str | None) -> Any:
    """The live text of a chunk interval where it is of the same fixed length."""
    if wanted is not None and live is not None and intervals.fixed_length(wanted) == intervals.fixed_length(live):
        return live
    return wanted


def _compression(wanted: Compression, live: Compression) -> Compression:
    return replace(wanted, after=_text(wanted.after, live.after), schedule=_schedule(wanted, live), recompress=None)


def _retention(wanted: Retention, live: Retention) -> Retention:
    return replace(wanted, drop_after=_text(wanted.drop_after, live.drop_after), schedule=_schedule(wanted, live))


def _reorder(wanted: Reorder, live: Reorder) -> Reorder:
    return replace(wanted, schedule=_schedule(wanted, live))


def _refresh(wanted: Refresh, live: Refresh) -> Refresh:
    return replace(wanted, start=_text(wanted.start, live.start), end=_text(wanted.end, live.end),
                   schedule=_text(wanted.schedule, live.schedule))


# What is told by intervals, by the name that objects have it under.
SETTLED: Mapping[str, Callable[[Any, Any], Any]] = {
    "hypertable": _hypertable, "compression": _compression, "retention": _retention, "reorder": _reorder,
    "refresh": _refresh}


def _text(wanted: str | None, live: str | None) -> Any:
    return live if intervals.same(wanted, live) else wanted


def _schedule(wanted: Compression | Retention | Reorder, live: Compression | Retention | Reorder) -> str | None:
    return live.schedule if wanted.schedule is None else _text(wanted.schedule, live.schedule)


def _with_nulls(table: Table) -> tuple[Column, ...]:
    """What numbers itself, is in the primary key or partitions by time is NOT NULL, whether or not that is declared."""
    names = {name for key in table.keys if key.primary for name in key.columns}
    names |= {table.hypertable.time} if table.hypertable else set()
    return tuple(replace(each, null=False) if each.serial or each.identity or each.name in names else each
                 for each in table.columns)


def _with_order(table: Table) -> Compression | None:
    """TimescaleDB ends every order-by with the time column, newest first, unless it is there already."""
    if table.compression is None or table.hypertable is None:
        return table.compression
    return _ordered(table.compression, table.hypertable.time)


def _ordered(compression: Compression | None, time: str) -> Compression | None:
    if compression is None:
        return None
    terms = tuple(order_term(term) for term in compression.order_by)
    if time not in [term.split()[0] for term in terms]:
        terms = (*terms, f"{time} DESC")
    return replace(compression, order_by=terms)
