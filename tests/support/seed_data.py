"""The default data set in three seasons, generated once for all seed tests, with its ground truth."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np

from seed import Rows, Spec, alerts, classifications, fleet, people, readings, timeline
from seed.generate.activities import Timeline
from seed.generate.calendar import utc_offset
from seed.generate.devices import Device
from seed.generate.profiles import ACTIVITIES
from seed.generate.weather import Weather, weather

Values = np.ndarray[Any, np.dtype[Any]]

WINTER = datetime(2026, 2, 4, 16, 20, 5, tzinfo=UTC)
SUMMER = datetime(2025, 8, 6, 9, 0, 0, tzinfo=UTC)
# Thirty days across the change to summer time on 29 March 2026.
SPRING = datetime(2026, 4, 12, 12, 0, 0, tzinfo=UTC)


def spec(until: datetime = WINTER, **changes: Any) -> Spec:
    """Return the default specification, ending at one of the three moments."""
    return replace(Spec(until=until), **changes)


@cache
def weeks(until: datetime = WINTER) -> tuple[Rows, ...]:
    """Return all readings as they are generated: a few weeks at a time."""
    return tuple(readings(spec(until)))


@cache
def joined(until: datetime = WINTER) -> dict[str, Values]:
    """Return all readings as columns, times as seconds since 1970."""
    columns = {name: np.concatenate([week.columns[name] for week in weeks(until)]) for name in weeks(until)[0].columns}
    columns["measured_at"] = columns["measured_at"].astype(np.int64)
    return columns


@cache
def windows(until: datetime = WINTER) -> Rows:
    """Return all activity classifications."""
    return classifications(spec(until))


@cache
def notes(until: datetime = WINTER) -> Rows:
    """Return all notifications."""
    return alerts(spec(until), weeks(until), windows(until))


@cache
def life(user_id: int, until: datetime = WINTER) -> Timeline:
    """Return one person's activities, from the first reading to the last."""
    wanted = spec(until)
    return timeline(wanted, people(wanted)[user_id - 1], wanted.start, wanted.end)


@cache
def sky(until: datetime = WINTER) -> Weather:
    """Return the weather outside."""
    return weather(spec(until))


def devices_in(room: str, until: datetime = WINTER) -> list[Device]:
    """List the devices of every home in rooms of this name."""
    return [device for device in fleet(spec(until)) if device.room == room]


def of_device(device: Device, until: datetime = WINTER) -> dict[str, Values]:
    """Return one device's columns, in order of time."""
    own = joined(until)["device_id"] == device.id
    return {name: values[own] for name, values in joined(until).items()}


def even(device: Device, column: str, until: datetime = WINTER, step: int = 900) -> tuple[Values, Values]:
    """Return one device's column interpolated on an even grid of `step` seconds, for correlations."""
    own = of_device(device, until)
    grid = np.arange(own["measured_at"][0], own["measured_at"][-1], step)
    return grid, np.interp(grid, own["measured_at"], own[column])


def doing(device: Device, grid: Values, activity: str, until: datetime = WINTER) -> Values:
    """Tell for each time of the grid whether the device's owner is at this activity."""
    lived = life(device.owner.id, until)
    return np.equal(lived.activities[lived.at(grid)], ACTIVITIES.index(activity))


def local_hours(times: Values) -> Values:
    """Return the hour of day in the city at these times, 0 to 24; times are seconds since 1970."""
    offsets = np.array([utc_offset(int(time)) for time in times])
    hours: Values = np.mod((times + offsets) / 3600, 24)
    return hours
