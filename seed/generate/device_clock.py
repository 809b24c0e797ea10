"""How a device's own clock, on which reports are evenly spaced, runs against real time while its owner comes and goes.

Where it runs fast, reports are dense. Both clocks have days of the same length, which keeps the counts and lets each
day be computed without those before. Times are in seconds since the data begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from seed.generate.calendar import utc_offset
from seed.generate.device_types import TYPES, DeviceType
from seed.generate.profiles import HOME, Entry, Profile
from seed.generate.rows import Floats, Ints
from seed.spec import DAY

# Between two of these on the own clock, both run evenly; the owner's whereabouts are looked up in shorter steps.
_KNOT, _STEP = 1800, 600
_KNOTS, _STEPS = DAY // _KNOT, DAY // _STEP
# A device's clock never runs faster than this: dense reports have to stay more than a second apart.
FASTEST = 5.0
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Pace:
    """The clocks of all pairs of profile and place that differ: `days` has a row for each pair and a column for each
    day.

    Its values are rows of `tables`, which gives the real second of the day at each half hour of the device's clock.
    """

    tables: Ints
    days: Ints

    def wall(self, pairs: Ints, own: Floats) -> Floats:
        """The real time for each time on the clocks of these pairs; in place."""
        if len(self.tables) == 1 or not len(own):
            return own
        first = int(own.min()) // DAY
        along = self._along(first, int(own.max()) // DAY)
        place = own
        place /= _KNOT
        knot = place.astype(np.int64)
        place -= knot
        knot += (pairs * along.shape[1] - first * _KNOTS)
        points = along.ravel()
        begins = points[knot]
        knot += 1
        place *= points[knot] - begins
        place += begins
        return place

    def own(self, times: Ints) -> Floats:
        """The time on the devices' clocks: a row for each pair, a column for each of the real times, which ascend."""
        within = np.clip(times, 0, self.days.shape[1] * DAY)
        first, last = (min(int(time) // DAY, self.days.shape[1] - 1) for time in (within[0], within[-1]))
        knots = np.arange(first * _KNOTS, (last + 1) * _KNOTS + 1) * _KNOT
        return np.array([np.interp(within, walls, knots) for walls in self._along(first, last)])

    def _along(self, first: int, last: int) -> Floats:
        """The wall's time at each knot of these days, the end of the last one included: a row for each pair."""
        last = min(last, self.days.shape[1] - 1)
        days = np.arange(first, last + 1)
        inside = self.tables[self.days[:, first:last + 1]] + (days * DAY)[:, None]
        ends = np.full((len(self.days), 1), (last + 1) * DAY)
        return np.concatenate([inside.reshape(len(self.days), -1), ends], axis=1).astype(np.float64)


def pace(start: int, days: int, pairs: Sequence[tuple[Profile, str] | None]) -> Pace:
    """The clocks of these pairs of profile and place (None: even) over `days` days of 24 h from `start` on."""
    tables: dict[tuple[object, ...], int] = {}
    distinct: list[Ints] = [np.arange(_KNOTS) * _KNOT]
    rows = np.zeros((len(pairs), days), dtype=np.int64)
    clocks = [_clock(start + day * DAY) for day in range(days)]
    for row, pair in enumerate(pairs):
        if pair is None:
            continue
        profile, place = pair
        for day, (today, shown) in enumerate(clocks):
            kinds = tuple(profile.timetable(date.fromordinal(_EPOCH + today + more)) for more in (-1, 0, 1))
            known = (place, shown.tobytes(), *map(id, kinds))
            if known not in tables:
                tables[known] = len(distinct)
                distinct.append(_table(TYPES[place], place, kinds, shown))
            rows[row, day] = tables[known]
    return Pace(np.array(distinct), rows)


def _clock(begin: int) -> tuple[int, Ints]:
    """The owner's date at this instant, and the second of it on the owner's clock amid each step of the 24 h from then.

    Half an hour more on both sides. Where clocks change within, an hour of the owner's is missing, or there twice.
    """
    middles = begin + np.arange(-3, _STEPS + 3) * _STEP + _STEP // 2
    first, last = (utc_offset(int(time)) for time in (middles[0], middles[-1]))
    offsets = first if first == last else np.array([utc_offset(time) for time in middles.tolist()])
    today = (begin + utc_offset(begin)) // DAY
    return today, middles + offsets - today * DAY


def _table(kind: DeviceType, place: str, timetables: Sequence[Sequence[Entry]], shown: Ints) -> Ints:
    """The wall's second at each knot but the last, in a day whose owner's clock shows this amid its steps."""
    entries = sorted((entry.minute * 60 + day * DAY, entry.activity, entry.place)
                     for day, entries in zip((-1, 0, 1), timetables, strict=True)
                     for entry in entries if entry.chance >= 0.5)
    positions = np.maximum(0, np.searchsorted([entry[0] for entry in entries], shown, side="right") - 1)
    rates = np.array([_rate(kind, place, *entry[1:]) for entry in entries])[positions]
    # An hour's mean: people are not that punctual, so the pace changes as slowly.
    rates = np.convolve(rates, np.full(7, 1 / 7), mode="valid")
    rates /= rates.mean()
    excess = rates.max()
    if excess > FASTEST:
        even = (excess - FASTEST) / (excess - 1)
        rates = even + (1 - even) * rates
    own = np.append(0.0, np.cumsum(rates)) * _STEP
    # In whole seconds, so that no processor's last digit tells.
    return np.rint(np.interp(np.arange(_KNOTS) * _KNOT, own, np.arange(_STEPS + 1) * _STEP)).astype(np.int64)


def _rate(kind: DeviceType, place: str, activity: str, where: str) -> float:
    if where == place:
        return kind.here
    if activity == "sleep":
        return kind.asleep
    return kind.home if where in HOME else kind.away
