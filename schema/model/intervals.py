"""Durations in PostgreSQL's interval syntax, compared by value."""

from __future__ import annotations

import re

from schema.errors import DeclarationError

_SECOND = 1_000_000
_MONTHS = {"year": 12, "yr": 12, "month": 1, "mon": 1}
_MICROSECONDS = {"week": 7 * 86_400 * _SECOND, "day": 86_400 * _SECOND, "hour": 3_600 * _SECOND, "hr": 3_600 * _SECOND,
                 "minute": 60 * _SECOND, "min": 60 * _SECOND, "second": _SECOND, "sec": _SECOND}
_TERM = re.compile(r"\s*(?:(?P<count>[+-]?\d+)\s*(?P<unit>[a-z]+)|(?P<clock>-?\d+:\d\d(?::\d\d(?:\.\d+)?)?))", re.I)
DAYS_PER_MONTH = 30  # how PostgreSQL and TimescaleDB turn months into a fixed length

Length = tuple[str, int, int]


def days(count: int) -> str:
    """Return `count` days as interval text."""
    return _text(count, "day")


def weeks(count: int) -> str:
    """Return `count` weeks as interval text."""
    return _text(count, "week")


def months(count: int) -> str:
    """Return `count` months as interval text."""
    return _text(count, "month")


def years(count: int) -> str:
    """Return `count` years as interval text."""
    return _text(count, "year")


def length(text: str) -> Length:
    """Parse an interval into ("interval", months, microseconds), or a bare number n into ("integer", 0, n).

    Raises DeclarationError for text that is neither.
    """
    if re.fullmatch(r"\s*\d+\s*", text):
        return ("integer", 0, int(text))
    total_months, microseconds, position = 0, 0, 0
    while position < len(text.rstrip()):
        term = _TERM.match(text, position)
        if term is None:
            raise DeclarationError(f"interval {text!r} cannot be read; write it as '7 days', '1 month' or '1 year'")
        position = term.end()
        if term["clock"]:
            microseconds += _clock(term["clock"])
            continue
        unit = term["unit"].lower().removesuffix("s")
        if unit not in _MONTHS and unit not in _MICROSECONDS:
            raise DeclarationError(f"interval {text!r} has the unknown unit {unit!r}; write it as '7 days' or '1 "
                                   "month'")
        total_months += int(term["count"]) * _MONTHS.get(unit, 0)
        microseconds += int(term["count"]) * _MICROSECONDS.get(unit, 0)
    return ("interval", total_months, microseconds)


def fixed_length(text: str) -> int:
    """Return the interval in microseconds with months of 30 days, as chunk intervals are stored; a bare number as it
    is.

    Raises DeclarationError for text that is no interval.
    """
    kind, months_, rest = length(text)
    return rest if kind == "integer" else months_ * DAYS_PER_MONTH * _MICROSECONDS["day"] + rest


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two intervals are equal in value, however they are written; None equals only None."""
    if one is None or other is None:
        return one is other
    return length(one) == length(other)


def sql(text: str) -> str:
    """Return the interval as an argument of a TimescaleDB function."""
    return text.strip() if length(text)[0] == "integer" else f"interval '{text}'"


def _text(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _clock(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    parts = [float(part) for part in text.lstrip("-").split(":")]
    hours, minutes, seconds = (*parts, 0.0)[:3]
    return sign * round((hours * 3600 + minutes * 60 + seconds) * _SECOND)
