"""Causes for notifications: threshold crossings, found in slices of readings and groups of activities, then joined.

A slice is examined without the ones before it. Whether its first readings are crossings depends on the readings before,
so the first and last readings of each device are kept, and the slices are joined in order of time.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seed.generate.alerts.thresholds import THRESHOLDS
from seed.generate.devices import fleet
from seed.generate.profiles import ACTIVITIES
from seed.generate.rows import Array, Bools, Floats, Ints, Rows
from seed.spec import Spec

# One cause: when (seconds since 1970), whose, which threshold, which device or activity (0 and -1 for neither) from
# when on, the value and the limit.
CAUSE = np.dtype([("at", "<i8"), ("user", "<i8"), ("threshold", "<i2"), ("device", "<i8"), ("activity", "<i2"),
                  ("since", "<i8"), ("value", "<f8"), ("limit", "<f8")])
# A slice may begin in the middle of a silence: five minutes more than the limit are no chance.
_LATE = 300
_BY_READING = tuple(number for number, threshold in enumerate(THRESHOLDS)
                    if threshold.rooms and threshold.measure != "silence")
_BY_SILENCE = tuple(number for number, threshold in enumerate(THRESHOLDS) if threshold.measure == "silence")
_BY_ACTIVITY = tuple(number for number, threshold in enumerate(THRESHOLDS) if threshold.activities)


@dataclass(frozen=True)
class Sighting:
    """What one slice shows: the causes within it, and the first and last reading of each device.

    `first_value` is NaN where the first reading crosses nothing; `last_beyond` says whether the last one is beyond the
    limit; both have a row for each device and a column for each threshold on readings.
    """

    causes: Array
    devices: Ints
    first_at: Ints
    last_at: Ints
    first_value: Floats
    last_beyond: Bools

    def to_bytes(self) -> bytes:
        """The sighting as bytes; `from_bytes` is the inverse."""
        packed = io.BytesIO()
        np.savez_compressed(packed, **{name: getattr(self, name) for name in self.__dataclass_fields__})
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, packed: bytes) -> Sighting:
        """The sighting that `to_bytes` wrote."""
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            return cls(**{name: archive[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class _Watched:
    """What is constant for each device, in order of id: id, owner, longest silence, which thresholds are about it."""

    id: Ints
    owner: Ints
    silence: Ints
    about: Bools


def look_at_readings(spec: Spec, rows: Rows) -> Sighting:
    """The sighting of these readings, of any devices in any order."""
    watched = _read_fleet(spec)
    # By device, each in order of time: the rows are in that order already, and so a stable sort keeps it.
    ids = rows.columns["device_id"]
    order = np.lexsort((rows.columns["measured_at"], ids)) if not _in_time(rows) else _by_device(ids)
    devices, times = ids[order] - spec.first_device, rows.columns["measured_at"][order].astype(np.int64)
    first = np.flatnonzero(np.append(True, devices[1:] != devices[:-1])) if len(devices) else np.empty(0, np.int64)
    last = np.append(first[1:], len(devices)) - 1 if len(devices) else first
    first_value = np.full((len(first), len(_BY_READING)), np.nan)
    last_beyond = np.zeros((len(first), len(_BY_READING)), dtype=np.bool_)
    causes = [_silences(watched, devices, times, first)]
    for column, number in enumerate(_BY_READING):
        threshold = THRESHOLDS[number]
        values = rows.columns[threshold.measure][order]
        beyond = threshold.is_crossed_by(values) & watched.about[devices, number]
        crossing = beyond.copy()
        crossing[1:] &= ~beyond[:-1]
        crossing[first] = False
        at = np.flatnonzero(crossing)
        causes.append(_causes(number, times[at], devices[at], watched, values[at], threshold.limit))
        first_value[beyond[first], column] = values[first[beyond[first]]]
        last_beyond[:, column] = beyond[last]
    return Sighting(np.concatenate(causes), devices[first], times[first], times[last], first_value, last_beyond)


def look_at_activities(spec: Spec, rows: Rows) -> Sighting:
    """The sighting of these activity windows."""
    columns = rows.columns
    starts, ends = columns["started_at"].astype(np.int64), columns["ended_at"].astype(np.int64)
    code_of = {name: code for code, name in enumerate(ACTIVITIES)}
    codes = np.array([code_of[name] for name in columns["activity_type"].tolist()], dtype=np.int16)
    causes = [np.empty(0, dtype=CAUSE)]
    for number in _BY_ACTIVITY:
        threshold = THRESHOLDS[number]
        at = np.flatnonzero(np.isin(codes, [code_of[name] for name in threshold.activities]))
        if threshold.measure == "minutes":
            values = ((ends[at] - starts[at]) // 60).astype(np.float64)
        else:
            details = columns["metadata"][at].tolist()
            values = np.array([json.loads(text)[threshold.measure] for text in details], dtype=np.float64)
        at, values = at[threshold.is_crossed_by(values)], values[threshold.is_crossed_by(values)]
        crossings = np.zeros(len(at), dtype=CAUSE)
        crossings["at"], crossings["user"], crossings["threshold"] = ends[at], columns["user_id"][at], number
        crossings["activity"], crossings["since"] = codes[at], starts[at]
        crossings["value"], crossings["limit"] = values, threshold.limit
        causes.append(crossings)
    nothing = np.empty(0, dtype=np.int64)
    return Sighting(np.concatenate(causes), nothing, nothing, nothing, np.empty((0, len(_BY_READING))),
                    np.empty((0, len(_BY_READING)), dtype=np.bool_))


class Watch:
    """Joins the sightings of readings, in order of time, and of activities, in any order, into all causes."""

    def __init__(self, spec: Spec) -> None:
        """Start without any sighting."""
        self.spec = spec
        self._watched = _read_fleet(spec)
        self._cause_parts: list[Array] = []
        self._heard = np.zeros(spec.devices, dtype=np.int64)
        # What a device's very first reading is beyond is no crossing: nobody saw it before.
        self._beyond = np.ones((spec.devices, len(_BY_READING)), dtype=np.bool_)

    def add(self, sighting: Sighting) -> None:
        """Add the next sighting."""
        self._cause_parts.append(sighting.causes)
        devices = sighting.devices
        if not len(devices):
            return
        heard = self._heard[devices]
        before = np.where(heard > 0, heard, sighting.first_at)
        pairs = np.stack([before, sighting.first_at], axis=1).ravel()
        self._cause_parts.append(_silences(self._watched, np.repeat(devices, 2), pairs, np.arange(0, len(pairs), 2)))
        crossing = ~np.isnan(sighting.first_value) & ~self._beyond[devices]
        for column, number in enumerate(_BY_READING):
            at = np.flatnonzero(crossing[:, column])
            self._cause_parts.append(_causes(number, sighting.first_at[at], devices[at], self._watched,
                                             sighting.first_value[at, column], THRESHOLDS[number].limit))
        self._heard[devices], self._beyond[devices] = sighting.last_at, sighting.last_beyond

    def causes(self) -> Array:
        """All causes so far."""
        return np.concatenate([np.empty(0, dtype=CAUSE), *self._cause_parts])


@lru_cache(maxsize=4)
def _read_fleet(spec: Spec) -> _Watched:
    devices = fleet(spec)
    # A device that reports rarely is not offline because it waits for its next turn.
    silence = [max(int(THRESHOLDS[_BY_SILENCE[0]].limit), round(device.interval * 10 / 60)) for device in devices]
    about = np.array([[device.room in threshold.rooms for threshold in THRESHOLDS] for device in devices])
    return _Watched(np.array([device.id for device in devices], dtype=np.int64),
                    np.array([device.owner.id for device in devices], dtype=np.int64),
                    np.array(silence, dtype=np.int64), about)


def _in_time(rows: Rows) -> bool:
    times = rows.columns["measured_at"]
    return bool((times[1:] >= times[:-1]).all())


def _by_device(ids: Ints) -> Ints:
    """The order by device that keeps the order within each; of few devices by radix, in linear time."""
    offsets = ids - ids.min() if len(ids) else ids
    few = len(ids) == 0 or int(offsets.max()) < 2**16
    return np.argsort(offsets.astype(np.uint16) if few else offsets, kind="stable")


def _silences(watched: _Watched, devices: Ints, times: Ints, first: Ints) -> Array:
    """Where a device's next reading comes too late; `first` are the positions where a device's readings begin."""
    quiet = np.diff(times, prepend=times[:1])
    quiet[first] = 0
    limit = watched.silence[devices]
    at = np.flatnonzero(quiet > limit * 60 + _LATE)
    return np.concatenate([_causes(number, times[at] - quiet[at] + limit[at] * 60, devices[at], watched,
                                   limit[at].astype(np.float64), limit[at].astype(np.float64))
                           for number in _BY_SILENCE])


def _causes(number: int, times: Ints, devices: Ints, watched: _Watched, values: Array, limits: float | Floats) -> Array:
    causes = np.zeros(len(times), dtype=CAUSE)
    causes["at"], causes["threshold"] = times, number
    causes["user"], causes["device"] = watched.owner[devices], watched.id[devices]
    causes["activity"], causes["value"], causes["limit"] = -1, values, limits
    return causes
