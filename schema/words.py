"""Bring declared and live objects to the same words, so that equal things compare equal, and back again."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from schema import intervals
from schema.objects import Compression, Hypertable, Retention, Table


def settle(wanted: Table, live: Table | None) -> Table:
    """`wanted` with the live text for each interval that means the same, and for each schedule left to the server."""
    wanted = replace(wanted, compression=_with_order(wanted))
    if live is None:
        return wanted
    return replace(
        wanted,
        hypertable=_settle_hypertable(wanted.hypertable, live.hypertable),
        compression=_settle_compression(wanted.compression, live.compression),
        retention=_settle_retention(wanted.retention, live.retention),
    )


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


def equal(wanted: Table, live: Table) -> bool:
    """Whether the live table is the wanted one; what nobody declared does not count."""
    return bool(in_declared_words(wanted, wanted, live) == wanted)


def _settle_hypertable(wanted: Hypertable | None, live: Hypertable | None) -> Hypertable | None:
    if wanted and live and intervals.fixed_length(wanted.chunk) == intervals.fixed_length(live.chunk):
        return replace(wanted, chunk=live.chunk)
    return wanted


def _settle_compression(wanted: Compression | None, live: Compression | None) -> Compression | None:
    if not wanted or not live:
        return wanted
    return replace(wanted, after=_text(wanted.after, live.after), schedule=_schedule(wanted, live))


def _settle_retention(wanted: Retention | None, live: Retention | None) -> Retention | None:
    if not wanted or not live:
        return wanted
    return replace(wanted, drop_after=_text(wanted.drop_after, live.drop_after), schedule=_schedule(wanted, live))


def _text(wanted: str | None, live: str | None) -> Any:
    return live if intervals.same(wanted, live) else wanted


def _schedule(wanted: Compression | Retention, live: Compression | Retention) -> str | None:
    return live.schedule if wanted.schedule is None else _text(wanted.schedule, live.schedule)


def _with_order(table: Table) -> Compression | None:
    """TimescaleDB ends every order-by with the time column, newest first, unless it is there already."""
    if table.compression is None or table.hypertable is None:
        return table.compression
    terms = tuple(order_term(term) for term in table.compression.order_by)
    if table.hypertable.time not in [term.split()[0] for term in terms]:
        terms = (*terms, f"{table.hypertable.time} DESC")
    return replace(table.compression, order_by=terms)


def order_term(term: str) -> str:
    """An order-by term as the catalog writes it: ASC and default NULLS left out."""
    name, *rest = term.split()
    words = " ".join(rest).upper().removeprefix("ASC").strip()
    if words == "DESC NULLS FIRST":
        words = "DESC"
    if words == "NULLS LAST":
        words = ""
    return f"{name} {words}".strip()
