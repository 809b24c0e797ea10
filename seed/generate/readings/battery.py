"""Battery levels: phones charged at night, unless forgotten; sensors' cells that last longer the less they report."""

from __future__ import annotations

import numpy as np

from seed.generate.activities import Lives
from seed.generate.device_clock import Pace
from seed.generate.profiles import ACTIVITIES
from seed.generate.rows import Floats, Ints, Words, uniform
from seed.spec import DAY

# Per cent an hour that a phone loses, by what its owner does; 3.2 for anything else.
_DRAIN = {"sleep": 0.8, "transport": 6.5, "leisure": 5.4, "social": 4.5, "exercise": 5.5, "study": 4.2, "work": 3.6}
_CHARGE = 32.0
_NIGHT = 3 * 3600
_EMPTY_CELLS, _FLAT_PHONE = 6.0, 2.0
# How far back lives have to reach for the last night with a charger to be among them, all but surely.
MEMORY = 9 * DAY


def phone_levels(lived: Lives, forgetful: Floats, keys: Words, entries: Ints, times: Ints) -> Floats:
    """The charge in per cent of each person's phone (columns) at each time (rows): charged at night, drained by use.

    `forgetful` is the probability that a person forgets the charger, `entries` the activity at each time (`Lives.at`).
    """
    length = lived.ends - lived.starts
    owner = np.repeat(np.arange(len(lived.first) - 1), np.diff(lived.first))
    rate = np.array([_DRAIN.get(name, 3.2) for name in ACTIVITIES])[lived.activities] / 3600
    used = np.cumsum(rate * length) - rate * length
    charging = (lived.activities == ACTIVITIES.index("sleep")) & (length >= _NIGHT) & (
        uniform(keys[owner], lived.starts) >= forgetful[owner])
    # The entry after the last charge before each entry; of a life that shows none, its first.
    after_charge = np.where(charging, np.arange(len(owner)) + 1, 0)
    full_at = np.maximum(np.append(0, np.maximum.accumulate(after_charge)[:-1]), lived.first[owner])
    level = np.maximum(_FLAT_PHONE, 100 - (used - used[full_at]))
    slope = np.where(charging, _CHARGE / 3600, -rate)
    along = level[entries] + slope[entries] * (times[:, None] - lived.starts[entries])
    return np.asarray(np.clip(along, _FLAT_PHONE, 100))


def cell_levels(passed: Floats, turns: Floats, phase: Floats) -> Floats:
    """The charge in per cent of each sensor after so many seconds, in place; it falls linearly to the next cells.

    Cells are replaced `turns` times a second and are at `phase` (0..1) of their life when the data begins; 0 turns is
    mains power.
    """
    passed *= turns
    passed += phase
    passed -= np.floor(passed)
    passed *= _EMPTY_CELLS - 100
    passed += 100
    return passed


def wear_seconds(paced: Pace, times: Ints) -> Floats:
    """Seconds of wear for each pair of profile and place (rows) up to each time: half by time, half by reports.

    Reports are evenly spaced on a device's own clock, so that clock counts them.
    """
    return np.asarray((paced.own(times) + times) / 2)
