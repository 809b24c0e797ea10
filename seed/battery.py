"""Batteries: phones charged at night, when their owners think of it; sensors whose cells last for weeks."""

from __future__ import annotations

import numpy as np

from seed.activities import Timeline
from seed.devices import Device
from seed.profiles import ACTIVITIES
from seed.rows import Floats, Ints, mixed
from seed.spec import DAY, Spec

# Per cent an hour that a phone loses, by what its owner does; 3.2 for anything else.
_DRAIN = {"sleep": 0.8, "transport": 6.5, "leisure": 5.4, "social": 4.5, "exercise": 5.5, "study": 4.2, "work": 3.6}
_CHARGE = 32.0
_NIGHT = 3 * 3600
_EMPTY_CELLS, _FLAT_PHONE = 6.0, 2.0


def phone_level(device: Device, life: Timeline, times: Ints) -> Floats:
    """Battery of a phone along the times: full after a long sleep unless its owner forgot, then drained by use."""
    rates = np.array([_DRAIN.get(name, 3.2) for name in ACTIVITIES]) / 3600
    used = np.concatenate([[0.0], np.cumsum(rates[life.activities] * (life.ends - life.starts))])
    bounds = np.append(life.starts, life.ends[-1])
    forgotten = mixed(device.schedule.key + 2, life.starts) < device.owner.profile.forgets_charging
    nights = np.flatnonzero((life.activities == ACTIVITIES.index("sleep")) & ~forgotten
                            & (life.ends - life.starts >= _NIGHT))
    charged_at, plugged_at = life.ends[nights], life.starts[nights]

    def drained(moments: Ints) -> Floats:
        last = np.searchsorted(charged_at, moments, side="right") - 1
        since = np.where(last >= 0, charged_at[last] if len(charged_at) else 0, life.starts[0])
        lost = np.interp(moments, bounds, used) - np.interp(since, bounds, used)
        return np.asarray(np.maximum(_FLAT_PHONE, 100 - lost))

    night = np.searchsorted(plugged_at, times, side="right") - 1
    plugged = (night >= 0) & (times < charged_at[night]) if len(nights) else np.zeros(len(times), dtype=np.bool_)
    level = drained(times)
    if plugged.any():
        began = plugged_at[night[plugged]]
        level[plugged] = np.minimum(100, drained(began) + _CHARGE * (times[plugged] - began) / 3600)
    return level


def cell_level(spec: Spec, device: Device, times: Ints) -> Floats:
    """Battery of a room sensor along the times: falls evenly, and new cells bring it back to 100."""
    lived = ((times - spec.start) / DAY / device.battery_days + device.battery_phase) % 1.0
    return np.asarray(100 - (100 - _EMPTY_CELLS) * lived)
