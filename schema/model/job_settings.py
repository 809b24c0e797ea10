"""How a job runs: values left to the server, equal values in other words, and arguments of alter_job; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from schema.errors import DeclarationError
from schema.model import intervals
from schema.model.names import literal
from schema.model.objects import Compression, Job, JobSettings, Refresh, Reorder, Retention

NAMES = tuple(field.name for field in fields(JobSettings))
INTERVALS = ("max_runtime", "retry_period")
# What the server gives a policy's job by itself: longest run and pause before another try; that of a refresh is as long
# as its schedule. It tries for ever.
OWN: Mapping[type[JobSettings], tuple[str, str | None]] = {
    Compression: ("00:00:00", "01:00:00"), Retention: ("00:05:00", "00:05:00"), Reorder: ("00:00:00", "00:05:00"),
    Refresh: ("00:00:00", None)}
OWN_RETRIES = -1

Runs = Job | JobSettings


def settled(wanted: Runs, live: Runs) -> dict[str, Any]:
    """Return the wanted settings, by name, with the live values for what is left to the server and for what is equal.
    """
    values, own = {}, _own(live)
    for name in NAMES:
        value, present = getattr(wanted, name), getattr(live, name)
        same = value is None or _same(name, value, own.get(name) if present is None else present)
        values[name] = present if same else value
    return values


def changes(canonical: Runs, live: Runs) -> list[tuple[str, str]]:
    """Return the arguments of alter_job that make the live settings the canonical ones, each with its reason."""
    return [(argument(name, getattr(canonical, name)), f"{name} is {_text(getattr(live, name))}")
            for name in NAMES if getattr(canonical, name) not in (None, getattr(live, name))]


def argument(name: str, value: Any) -> str:
    """Return one setting as an argument of TimescaleDB's functions."""
    if isinstance(value, bool):
        return f"{name} => {'true' if value else 'false'}"
    if name in INTERVALS:
        return f"{name} => interval {literal(value)}"
    if name == "initial_start":
        return f"{name} => timestamptz {literal(value)}"
    return f"{name} => {literal(value) if isinstance(value, str) else value}"


def errors(owner: str, settings: Runs) -> Iterator[str]:
    """Yield what is no time with an offset, no interval, or a number of retries below -1."""
    start = settings.initial_start
    if start is not None and _moment(start) is None:
        yield (f"{owner}.initial_start: {start!r} is no time with an offset; write it as "
               "'2026-01-01 03:00:00+00'")
    for name in INTERVALS:
        try:
            intervals.length(getattr(settings, name) or "0")
        except DeclarationError as error:
            yield f"{owner}.{name}: {error}"
    if settings.max_retries is not None and settings.max_retries < -1:
        yield f"{owner}.max_retries: it is {settings.max_retries}; -1 stands for any number of times"


def _own(live: Runs) -> dict[str, Any]:
    """What the server has chosen where the live settings of a policy say nothing; a job of one's own says it all."""
    if isinstance(live, Job):
        return {}
    longest, pause = OWN[type(live)]
    pause = pause or getattr(live, "schedule", None)
    return {"max_runtime": longest, "max_retries": OWN_RETRIES, "retry_period": pause,
            "fixed_schedule": live.initial_start is not None}


def _text(value: Any) -> str:
    return "the server's own" if value is None else str(value)


def _same(name: str, one: Any, other: Any) -> bool:
    if other is None:
        return False
    if name == "initial_start":
        return _moment(one) == _moment(other)
    return intervals.same(_seconds(one), _seconds(other)) if name in INTERVALS else bool(one == other)


def _seconds(text: str) -> str:
    """An interval with its unit: a number alone is one of seconds here."""
    return f"{text} seconds" if text.strip().isdigit() else text


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
