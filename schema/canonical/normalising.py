"""Rewrite equal parts of declared and live objects to the same spelling, so that they compare equal, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from schema.aggregates import aggregate_query
from schema.kinds import registry
from schema.model import intervals
from schema.model.objects import (
    Check,
    Column,
    Compression,
    ContinuousAggregate,
    Declared,
    ForeignKey,
    Hypertable,
    Refresh,
    Reorder,
    Retention,
    Table,
    Trigger,
)
from schema.model.sql_names import order_term

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
        changed["compression"] = _with_order(wanted)
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
        changed["compression"] = _ordered(wanted.compression, grouping.name) if grouping else wanted.compression
        if isinstance(live, ContinuousAggregate) and aggregate_query.same(wanted.query, live.query):
            changed["query"] = live.query
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
    if isinstance(live, tuple) and all(hasattr(part, "name") for part in (*live, *wanted)):
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
        tablespaces=live.tablespaces if same else wanted.tablespaces,
        dimensions=tuple(replace(dimension, interval=_span(dimension.interval, dimensions[dimension.column].interval))
                         if dimension.column in dimensions else dimension for dimension in wanted.dimensions))


def _span(wanted: Any, live: str | None) -> Any:
    """Replace a chunk interval with the live spelling where both have the same fixed length."""
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


def _with_order(table: Table) -> Compression | None:
    """Append the time column, newest first, to order-by where it is missing, as TimescaleDB does."""
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
