"""The rows of `environmental_readings`: what every device reports of the air around it.

They are generated in slices: a period of some homes, a few hundred thousand rows, independent of all other slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seed.generate.activities import lives
from seed.generate.devices import fleet
from seed.generate.people import people
from seed.generate.profiles import HOME
from seed.generate.readings import battery
from seed.generate.readings.climate import MEMORY, STEP, Air, drop_warm_up, homes_at, phones_air, rooms_air
from seed.generate.rows import Array, Floats, Ints, Rows, instants
from seed.generate.sampling import schedules
from seed.generate.weather import weather
from seed.spec import DAY, Spec, key, stream

# What a device may be beside: a room, or its owner as a phone is.
_SPOTS = (*HOME, "phone")
_NOISE = {"temperature": 0.07, "humidity": 0.5, "pressure": 0.09, "air_quality": 2.5}
_OUTLIERS = 1 / 4000
# A slice is a week, a half of it and so on, as long as it has no more rows than these; and its homes are so few that
# their grid of times has no more points than these.
_LENGTHS = (7 * DAY, 7 * DAY // 2, 7 * DAY // 4, 7 * DAY // 8, DAY // 4)
_MOST_ROWS, _MOST_POINTS = 400_000, 250_000


@dataclass(frozen=True)
class Slice:
    """The readings from `begin` to `end` (seconds since 1970) of persons first .. last - 1, counted from 0."""

    number: int
    begin: int
    end: int
    first: int
    last: int


@dataclass(frozen=True)
class Sensors:
    """What is constant for each device, in order of id."""

    spot: Ints
    temperature_bias: Floats
    humidity_bias: Floats
    pressure_bias: Floats
    cell_turns: Floats
    cell_phase: Floats


def readings(spec: Spec) -> Iterator[Rows]:
    """The rows of `environmental_readings`, slice by slice: exactly `spec.total_readings` in all.

    Each slice is in order of time; where there are many homes, several slices of the same hours follow each other.
    """
    return (rows for part in slices(spec) if len(rows := make_slice(spec, part)))


def slices(spec: Spec) -> list[Slice]:
    """The slices of the readings, in order of time; the same for the same spec."""
    if not spec.total_readings:
        return []
    pace = spec.total_readings / (spec.days * DAY)
    length = next((length for length in _LENGTHS if pace * length <= _MOST_ROWS), _LENGTHS[-1])
    by_rows = int(_MOST_ROWS / max(1.0, pace * length) * spec.users)
    by_points = _MOST_POINTS // ((length + MEMORY) // STEP)
    groups = -(-spec.users // max(1, min(by_rows, by_points)))
    bounds = [spec.users * group // groups for group in range(groups + 1)]
    times = range(spec.start // length * length, spec.end, length)
    return [Slice(number * groups + group, max(begin, spec.start), min(begin + length, spec.end), bounds[group],
                  bounds[group + 1])
            for number, begin in enumerate(times) for group in range(groups)]


def make_slice(spec: Spec, part: Slice) -> Rows:
    """The rows of one slice, in order of time; ids continue those of the slices before."""
    per_user = spec.devices_per_user
    planned = schedules(spec)
    slice_schedules = planned.part(part.first * per_user, part.last * per_user)
    devices, times = slice_schedules.reports(part.begin, part.end)
    # Of two reports in one second the device with the lower id comes first: its rows came first.
    order = np.sort((times - part.begin) << 32 | np.arange(len(times))) & 0xFFFFFFFF
    devices, times = devices[order], times[order]
    before = int(planned.before(part.begin).sum()) + _of_groups_before(spec, part)
    return Rows("environmental_readings", {
        "id": np.arange(before + 1, before + len(times) + 1),
        "device_id": devices + (part.first * per_user + spec.first_device),
        "measured_at": instants(times), **_values(spec, part, devices, times)})


def _of_groups_before(spec: Spec, part: Slice) -> int:
    """How many readings the homes before this slice's have in its hours."""
    if not part.first:
        return 0
    others = schedules(spec).part(0, part.first * spec.devices_per_user)
    return int((others.before(part.end) - others.before(part.begin)).sum())


def _values(spec: Spec, part: Slice, devices: Ints, times: Ints) -> dict[str, Array]:
    """What the sensors report of the air: their bias, their noise, a rare outlier, rounded to the column's scale."""
    per_user = spec.devices_per_user
    sensors = _sensors(spec)
    index = devices + part.first * per_user
    grid, air, level = _air(spec, part, np.arange(part.begin - MEMORY, part.end + STEP, STEP, dtype=np.int64))
    spot = sensors.spot[index]
    column = spot * (part.last - part.first) + devices // per_user
    place = (times - grid[0]) / STEP
    row = place.astype(np.int64)
    share = place - row
    flat = row * air.temperature.shape[1] + column
    beyond = flat + air.temperature.shape[1]
    draws = stream(spec, "noise", part.number)
    noise = {name: draws.standard_normal(len(times), dtype=np.float32) * np.float32(deviation)
             for name, deviation in _NOISE.items()}
    strange = draws.integers(0, max(1, len(times)), draws.binomial(len(times), _OUTLIERS))
    noise["temperature"][strange] += draws.uniform(4, 9, len(strange))

    def along(values: Floats) -> Floats:
        """The air between two times of the grid."""
        points = values.ravel()
        values_before = points[flat]
        values_after = points[beyond]
        values_after -= values_before
        values_after *= share
        values_before += values_after
        return np.asarray(values_before)

    pressure = weather(spec).at("pressure", times)
    planned = schedules(spec)
    worn = battery.wear_seconds(planned.pace, grid - spec.start)
    cells = battery.cell_levels(worn.ravel()[row + planned.pair[index] * len(grid)], sensors.cell_turns[index],
                                sensors.cell_phase[index])
    on_phone = np.flatnonzero(spot == _SPOTS.index("phone"))
    cells[on_phone] = level[row[on_phone], devices[on_phone] // per_user]
    return {
        "temperature": _round(along(air.temperature), -50, 90, sensors.temperature_bias[index], noise["temperature"]),
        "humidity": _round(along(air.humidity()), 0, 100, sensors.humidity_bias[index], noise["humidity"]),
        "pressure": _round(pressure, 800, 1100, sensors.pressure_bias[index], noise["pressure"]),
        "air_quality": np.rint(_clip(along(air.air_quality) + noise["air_quality"], 0, 500)).astype(np.int64),
        "battery_level": np.rint(_clip(cells, 0, 100)).astype(np.int64),
    }


def _clip(values: Floats, low: float, high: float) -> Floats:
    np.maximum(values, low, out=values)
    return np.minimum(values, high, out=values)


def _round(values: Floats, low: float, high: float, *errors: Array) -> Floats:
    """The values with these errors, within the limits, to two decimals; in place, as they are many."""
    for error in errors:
        values += error
    _clip(values, low, high)
    values *= 100
    np.rint(values, out=values)
    values /= 100
    return values


def _air(spec: Spec, part: Slice, grid: Ints) -> tuple[Ints, Air, Floats]:
    """The end of the grid, and along it the air at every spot of every home and the phones' charge.

    The air has a block of columns for each spot, in it one for each home.
    """
    persons = people(spec)[part.first:part.last]
    # A day more than is asked for: whether a night is long enough to charge shows at its end.
    lived = lives(spec, persons, part.begin - battery.MEMORY, part.end + DAY)
    entries = lived.at(grid)
    homes = homes_at(weather(spec), persons, lived, entries, grid)
    rooms = rooms_air(homes)
    phones = phones_air(homes, rooms)
    forgetful = np.array([person.profile.forgets_charging for person in persons])
    keys = np.array([key(spec, "charger", person.id) for person in persons], dtype=np.uint64)
    reported = drop_warm_up(grid)
    level = battery.phone_levels(lived, forgetful, keys, entries[len(grid) - len(reported):], reported)
    spots = [*rooms.values(), phones]
    return reported, Air(*(np.concatenate([getattr(spot, name) for spot in spots], axis=1)
                 for name in ("temperature", "vapour", "air_quality"))), level


@lru_cache(maxsize=4)
def _sensors(spec: Spec) -> Sensors:
    all_devices = fleet(spec)
    columns = {name: np.array([getattr(device, name) for device in all_devices]) for name in (
        "temperature_bias", "humidity_bias", "pressure_bias")}
    # What hangs on the mains stays full for ever.
    cells = np.array([device.kind.power == "cells" for device in all_devices])
    days, phase = (np.array([getattr(device, name) for device in all_devices])
                   for name in ("battery_days", "battery_phase"))
    return Sensors(spot=np.array([_SPOTS.index(device.room) for device in all_devices], dtype=np.int64),
                   cell_turns=np.where(cells, 1 / DAY / days, 0), cell_phase=np.where(cells, phase, 0), **columns)
