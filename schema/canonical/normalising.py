"""Rewrite equal parts of declared and live objects to the same spelling, so that they compare equal, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from schema.aggregates import aggregate_query, refreshes
from schema.kinds import registry
from schema.model import intervals, job_settings
from schema.model.names import ident
from schema.model.objects import (
    Check,
    Column,
    Compression,
    ContinuousAggregate,
    Declared,
    ForeignKey,
    Hypertable,
    Reorder,
    Retention,
    Table,
    Trigger,
)
from schema.model.sql_names import column_name, order_term

V = TypeVar("V", Check, ForeignKey)
O = TypeVar("O", bound=Declared)  # noqa: E741 (the object)


def settle(wanted: O, live: O | None) -> O:
    """Replace each interval equal in value with the server's spelling, and each schedule left to the server with its
    own.
    """
    own = registry.of(wanted).settle
    if own is not None:
        return cast(O, own(wanted, live))
    changed: dict[str, Any] = {}
    if isinstance(wanted, Table):
        changed["compression"] = _with_order(wanted, live)
        changed["columns"] = _with_nulls(wanted)
        if isinstance(live, Table):
            changed["checks"] = _valid_as(wanted.checks, live.checks)
            changed["foreign_keys"] = _valid_as(wanted.foreign_keys, live.foreign_keys)
            changed["options"] = _options_as(wanted.options, live.options)
            changed["triggers"] = _fires_as(wanted.triggers, live.triggers)
            for part in ("keys", "indexes", "exclusions"):
                changed[part] = _ordered_as(getattr(wanted, part), getattr(live, part))
    if isinstance(wanted, ContinuousAggregate):
        grouping = aggregate_query.bucket(wanted.query)
        changed["compression"] = _ordered(wanted.compression, grouping.name, live) if grouping else wanted.compression
        if isinstance(live, ContinuousAggregate) and aggregate_query.same(wanted.query, live.query):
            changed["query"] = live.query
        if isinstance(live, ContinuousAggregate):
            changed |= refreshes.in_order(wanted, live)
            changed["chunk"] = live.chunk if wanted.chunk is None else _span(wanted.chunk, live.chunk)
            changed["compression"] = _as_chosen(changed["compression"], live.compression)
    if live is not None:
        for part, settled in SETTLED.items():
            wanted_part = changed.get(part, getattr(wanted, part, None))
            live_part = getattr(live, part, None)
            if wanted_part is not None and live_part is not None:
                changed[part] = settled(wanted_part, live_part)
    return replace(wanted, **changed) if changed else wanted


def in_declared_words(declared: Any, wanted: Any, live: Any) -> Any:
    """Return `live` with each part equal to `wanted` spelled as in `declared`; undeclared parts are left out."""
    if live == wanted:
        return declared
    if is_dataclass(live) and not isinstance(live, type) and type(live) is type(wanted):
        changed = {field.name: in_declared_words(*(getattr(one, field.name) for one in (declared, wanted, live)))
                   for field in fields(live)}
        return replace(live, **changed)
    if isinstance(live, tuple) and isinstance(wanted, tuple) and \
            all(hasattr(part, "name") for part in (*live, *wanted)):
        live_parts = {part.name: part for part in live}
        return tuple(in_declared_words(part, wanted_part, live_parts[part.name])
                     for part, wanted_part in zip(declared, wanted, strict=True) if part.name in live_parts)
    return live


def equal(wanted: Declared, live: Declared) -> bool:
    """Tell whether the live object equals the wanted one; undeclared parts do not count."""
    return bool(in_declared_words(wanted, wanted, live) == wanted)


def _hypertable(wanted: Hypertable, live: Hypertable) -> Hypertable:
    dimensions = {dimension.column: dimension for dimension in live.dimensions}
    same = set(wanted.tablespaces) == set(live.tablespaces)
    return replace(
        wanted, chunk=_span(wanted.chunk, live.chunk), now=wanted.now and wanted.now.removeprefix("public."),
        tablespaces=live.tablespaces if same else wanted.tablespaces, chunk_skipping=_skipped(wanted, live),
        dimensions=tuple(replace(dimension, interval=_span(dimension.interval, dimensions[dimension.column].interval))
                         if dimension.column in dimensions else dimension for dimension in wanted.dimensions))


def _skipped(wanted: Hypertable, live: Hypertable) -> tuple[str, ...] | None:
    """The live columns of chunk skipping where none are named, or the same ones."""
    named = wanted.chunk_skipping
    return live.chunk_skipping if named is None or set(named) == set(live.chunk_skipping or ()) else named


def _span(wanted: Any, live: str | None) -> Any:
    """Replace a chunk interval with the live spelling where both have the same fixed length."""
    if wanted is not None and live is not None and intervals.fixed_length(wanted) == intervals.fixed_length(live):
        return live
    return wanted


def _compression(wanted: Compression, live: Compression) -> Compression:
    return replace(
        wanted, after=_text(wanted.after, live.after), created_before=_text(wanted.created_before, live.created_before),
        schedule=_schedule(wanted, live), recompress=None,
        # Nothing is named by the empty tuple, either: what the server chooses stays its own.
        segment_by=None if live.segment_by is None and not wanted.segment_by else wanted.segment_by,
        sparse_index=_as_left(wanted.sparse_index, live.sparse_index),
        chunk_interval=live.chunk_interval if wanted.chunk_interval is None else
        _span(wanted.chunk_interval, live.chunk_interval), **job_settings.settled(wanted, live))


def _as_chosen(wanted: Compression | None, live: Compression | None) -> Compression | None:
    """The columnstore of an aggregate with the live columns where they are left to the server, which for aggregates
    chooses when the columnstore is enabled, and keeps its choice like anybody's."""
    if wanted is None or live is None:
        return wanted
    return replace(wanted, segment_by=live.segment_by if wanted.segment_by is None else wanted.segment_by,
                   order_by=live.order_by if wanted.order_by is None else wanted.order_by)


def _as_left(wanted: tuple[str, ...] | None, live: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The live terms where none are named, or the same in another order or spelling."""
    if wanted is None:
        return live
    same = {"".join(term.lower().split()) for term in wanted} == {"".join(term.lower().split()) for term in live or ()}
    return live if same else wanted


def _retention(wanted: Retention, live: Retention) -> Retention:
    return replace(
        wanted, drop_after=_text(wanted.drop_after, live.drop_after), schedule=_schedule(wanted, live),
        drop_created_before=_text(wanted.drop_created_before, live.drop_created_before),
        **job_settings.settled(wanted, live))


def _reorder(wanted: Reorder, live: Reorder) -> Reorder:
    return replace(wanted, schedule=_schedule(wanted, live), **job_settings.settled(wanted, live))


# What is told by intervals, by the name that objects have it under.
SETTLED: Mapping[str, Callable[[Any, Any], Any]] = {
    "hypertable": _hypertable, "compression": _compression, "retention": _retention, "reorder": _reorder}


def _text(wanted: str | None, live: str | None) -> Any:
    return live if intervals.same(wanted, live) else wanted


def _schedule(wanted: Compression | Retention | Reorder, live: Compression | Retention | Reorder) -> str | None:
    return live.schedule if wanted.schedule is None else _text(wanted.schedule, live.schedule)


def _with_nulls(table: Table) -> tuple[Column, ...]:
    """Mark serial, identity, primary key and time columns NOT NULL, as the server does, declared or not."""
    names = {name for key in table.keys if key.primary for name in key.columns}
    names |= {table.hypertable.time} if table.hypertable else set()
    return tuple(replace(column, null=False) if column.serial or column.identity or column.name in names else column
                 for column in table.columns)


def _valid_as(wanted: tuple[V, ...], live: tuple[V, ...]) -> tuple[V, ...]:
    """Take a constraint that need not be valid as valid where the live one is: that is no less."""
    valid = {constraint.name for constraint in live if constraint.valid}
    return tuple(replace(constraint, valid=constraint.valid or constraint.name in valid) for constraint in wanted)


def _fires_as(wanted: tuple[Trigger, ...], live: tuple[Trigger, ...]) -> tuple[Trigger, ...]:
    """The triggers with the columns of UPDATE OF in the live order, where they are the same."""
    fires = {trigger.name: trigger.fires for trigger in live}

    def words(text: str) -> list[str]:
        return sorted(text.replace(",", " ").split())

    return tuple(replace(trigger, fires=fires[trigger.name])
                 if words(fires.get(trigger.name, "")) == words(trigger.fires) else trigger for trigger in wanted)


def _ordered_as(wanted: Sequence[Any], live: Sequence[Any]) -> tuple[Any, ...]:
    """The indexes with their storage parameters in the live order, where they are the same."""
    options = {part.name: part.options for part in live}
    return tuple(replace(part, options=_options_as(part.options, options.get(part.name, ()))) for part in wanted)


def _options_as(wanted: tuple[str, ...], live: tuple[str, ...]) -> tuple[str, ...]:
    return live if sorted(wanted) == sorted(live) else wanted


def _with_order(table: Table, live: Any) -> Compression | None:
    """Append the time column, newest first, to order-by where it is missing, as TimescaleDB does."""
    if table.compression is None or table.hypertable is None:
        return table.compression
    return _ordered(table.compression, table.hypertable.time, live)


def _ordered(compression: Compression | None, time: str, live: Any) -> Compression | None:
    if compression is None:
        return None
    segments = compression.segment_by and tuple(map(column_name, compression.segment_by))
    present = getattr(live, "compression", None)
    if compression.order_by is None or (not compression.order_by and present and present.order_by is None):
        return replace(compression, segment_by=segments, order_by=None)
    terms = tuple(order_term(term) for term in compression.order_by)
    if time not in map(column_name, terms):
        terms = (*terms, f"{ident(time)} DESC")
    return replace(compression, segment_by=segments, order_by=terms)
