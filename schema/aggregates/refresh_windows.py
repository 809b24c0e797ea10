"""Windows of time in which an aggregate is refreshed one by one: on a fixed grid, so that they stay the same while rows
come in; pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from schema.model import intervals
from schema.model.names import literal

Moment = datetime | date | int

MOST = 200  # windows of one refresh; each of them is a step of the plan, and can be resumed from
LONGEST_MONTH_DAYS = 31
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Window:
    """Buckets that begin from `start` up to `until` are refreshed by a call that spans `start` to `end`.

    The call covers a bucket only as a whole, so that it ends one bucket later than the last bucket begins.
    """

    start: Moment
    until: Moment
    end: Moment


def windows(first: Moment, last: Moment, *, length: int, width: int, exact: bool = False) -> list[Window]:
    """Return the windows that hold all buckets with rows from `first` to `last`, oldest first.

    `length` and `width` (of a window, of a bucket) are microseconds, or the integer column's unit. With `exact` no
    bucket is touched that begins before `first`.
    """
    numbers = _number(first), _number(last)
    length = max(length, width, 1)
    length *= -(-(numbers[1] - numbers[0]) // (length * MOST)) or 1
    begin = (numbers[0] - (0 if exact else width)) // length * length
    edges = range(begin, numbers[1] + 1, length)
    return [Window(_moment(max(edge, numbers[0]) if exact else edge, first), _moment(edge + length, first),
                   _moment(edge + length + width, first)) for edge in edges]


def width_of(text: str) -> int:
    """Return a bucket's longest width, in microseconds or the integer column's unit."""
    kind, months, rest = intervals.length(text)
    if kind == "integer":
        return rest
    return months * LONGEST_MONTH_DAYS * intervals.fixed_length("1 day") + rest


def later(value: Moment, width: str, times: int = 1) -> Moment:
    """Return the moment `times` buckets later; months are calendar months."""
    _, months, rest = intervals.length(width)
    if months and isinstance(value, date):
        month = value.year * 12 + value.month - 1 + months * times
        length = monthrange(month // 12, month % 12 + 1)[1]
        value = value.replace(year=month // 12, month=month % 12 + 1, day=min(value.day, length))
    if isinstance(value, int):
        return value + rest * times
    return value + timedelta(microseconds=rest * times)


def moment(value: str | int | None) -> Moment | None:
    """Return the moment of a date, a time or an integer column from its JSON value."""
    if value is None or isinstance(value, int):
        return value
    return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)


def alike(value: datetime, like: Moment | None) -> Moment | None:
    """Return a moment with time zone as one of the type of `like`; None where `like` is None or an integer."""
    if isinstance(like, datetime):
        return value if like.tzinfo else value.astimezone(UTC).replace(tzinfo=None)
    return value.astimezone(UTC).date() if isinstance(like, date) else None


def sql(value: Moment) -> str:
    """Return the moment as an argument of refresh_continuous_aggregate."""
    return str(value) if isinstance(value, int) else literal(str(value))


def _epoch(like: datetime) -> datetime:
    return datetime(1970, 1, 1, tzinfo=like.tzinfo)


def _number(value: Moment) -> int:
    if isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return (value - _epoch(value)) // _MICROSECOND
    return (value - date(1970, 1, 1)) // _MICROSECOND


def _moment(number: int, like: Moment) -> Moment:
    if isinstance(like, int):
        return number
    if isinstance(like, datetime):
        return _epoch(like) + timedelta(microseconds=number)
    return date(1970, 1, 1) + timedelta(microseconds=number)
