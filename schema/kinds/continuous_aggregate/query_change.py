"""How an aggregate's query differs from the declared one, and so what the gentlest way to it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from schema.aggregates import aggregate_query, refresh_windows
from schema.aggregates.aggregate_query import Query
from schema.aggregates.live import AggregateComparison

ADD_COLUMN = (2, 28)  # the TimescaleDB that first adds columns to continuous aggregates


@dataclass(frozen=True)
class Change:
    """Columns that only bear other names, those that are new (expression by name), or all of it to be built anew."""

    rebuilt: bool = False
    renamed: Mapping[str, str] = field(default_factory=dict)
    added: Mapping[str, str] = field(default_factory=dict)


def change_of(comparison: AggregateComparison) -> Change:
    """The way from the live query to the declared one; nothing where they say the same, or where nothing lives."""
    one = comparison.live.object.query if comparison.live else comparison.wanted.query
    other = comparison.wanted.query
    if aggregate_query.same(one, other):
        return Change(rebuilt=comparison.moves)
    live, wanted = aggregate_query.parse(one), aggregate_query.parse(other)
    if live is None or wanted is None or live.rest.split() != wanted.rest.split() or comparison.moves:
        return Change(rebuilt=True)
    return _columns(comparison, live, wanted) or Change(rebuilt=True)


def _columns(comparison: AggregateComparison, live: Query, wanted: Query) -> Change | None:
    """The change where it is one of columns that can be made in place."""
    new = {name: sql for name, sql in wanted.columns.items() if name not in live.columns}
    renamed: dict[str, str] = {}
    for name, sql in live.columns.items():
        if wanted.columns.get(name, sql) != sql:
            return None
        if name not in wanted.columns:
            twin = next((each for each, theirs in new.items() if theirs == sql), None)
            if twin is None:
                return None
            renamed[name] = twin
            del new[twin]
    if new and (comparison.timescaledb < ADD_COLUMN or comparison.made is None):
        return None
    return Change(renamed=renamed, added=new)


def lost_history(comparison: AggregateComparison) -> bool:
    """Whether the live aggregate holds buckets whose rows its source no longer has, all of them or some."""
    span = comparison.span
    if span is None or span.live_first is None:
        return False
    if span.dropped is not None and _before(span.live_first, span.dropped):
        return True
    width = comparison.present.bucket.width
    return span.first is None or not _before(span.first, refresh_windows.later(span.live_first, width))


def _before(one: refresh_windows.Moment, other: refresh_windows.Moment) -> bool:
    return bool(one < other)  # type: ignore[operator]  # both are of the time column's type
