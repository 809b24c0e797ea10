"""The user's local days: French public holidays, and local clock times as UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

from seed.generate.rows import Ints

DAY = 86_400
ZONE = "Europe/Paris"
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))


def local_date(seconds: int) -> date:
    """The local date at this time."""
    return datetime.fromtimestamp(seconds, ZoneInfo(ZONE)).date()


@cache
def local_midnight(day: date) -> int:
    """The start of this local day, in seconds since 1970."""
    return int(datetime.combine(day, time(), ZoneInfo(ZONE)).timestamp())


def instant(day: date, minute: int) -> int:
    """The time in seconds since 1970 when the local clock shows this minute of the day.

    1,440 and more are the next day. A minute skipped by summer time is read an hour later; of one that occurs twice,
    the first counts.
    """
    wall = datetime.combine(day + timedelta(days=minute // 1440), time(minute % 1440 // 60, minute % 60))
    return int(wall.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC).timestamp())


def instants(day: date, minutes: Ints) -> Ints:
    """`instant` for an array of minutes, up to two days of them."""
    begins = [local_midnight(day + timedelta(days=more)) for more in range(3)]
    if begins[2] - begins[1] == begins[1] - begins[0] == DAY:
        return begins[0] + minutes * 60
    known = {minute: instant(day, minute) for minute in np.unique(minutes).tolist()}
    return np.array([known[minute] for minute in minutes.ravel().tolist()], dtype=np.int64).reshape(minutes.shape)


def utc_offset(seconds: int) -> int:
    """Seconds by which local clocks are ahead of UTC at this time."""
    offset = datetime.fromtimestamp(seconds, ZoneInfo(ZONE)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


@cache
def is_holiday(day: date) -> bool:
    """Whether this day is a public holiday in France, other than a Sunday."""
    if (day.month, day.day) in _FIXED:
        return True
    return (day - _easter(day.year)).days in (1, 39, 50)


def _easter(year: int) -> date:
    """Easter Sunday (Gregorian computus of Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    skipped = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - century // 4 - skipped + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, before = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, before + 1)
