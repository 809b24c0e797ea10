"""Devices: the factory of `devices`: a phone and room sensors for each person, with their sampling and batteries."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np

from seed.people import Person, people
from seed.profiles import PROFILES
from seed.rows import Ints, Rows, instants, mixed, texts
from seed.spec import DAY, Spec, shares, stream

_TYPES = {"phone": "phone", "kitchen": "kitchen_station", "living room": "room_sensor", "bedroom": "bedroom_sensor",
          "bathroom": "humidity_sensor"}
_MODELS = {"phone": "Companion Clip", "kitchen_station": "Companion Chef", "room_sensor": "Companion Room",
           "bedroom_sensor": "Companion Night", "humidity_sensor": "Companion Drop"}
# One device in this many drops out for some hours; a data set of a day or two is too short to show it.
_OFFLINE_EVERY, _OFFLINE_HOURS, _OFFLINE_FROM_DAYS = 15, 31, 4
# Share of readings that never arrive, half of them in one stretch (the router was off).
_MISSED = 0.016


@dataclass(frozen=True)
class Device:
    """One device: whose, where (`room` or "phone"), its sensor errors and when it reports."""

    id: int
    owner: Person
    room: str
    type: str
    mac: str
    temperature_bias: float
    humidity_bias: float
    pressure_bias: float
    battery_days: float
    battery_phase: float
    schedule: Schedule

    @property
    def label(self) -> str:
        """How a message names it."""
        return f"{'Phone' if self.room == 'phone' else self.room.capitalize()} ({self.mac})"


@dataclass(frozen=True)
class Schedule:
    """When a device reports: every `interval` seconds from `start`, silent from `offline_at` for `offline` seconds.

    Slots are numbered from 0 to `slots` - 1; those in `missed` are lost, so that exactly slots - len(missed) remain.
    """

    start: int
    interval: float
    slots: int
    missed: Ints
    offline_at: int
    offline: int
    key: int

    def times(self, begin: int, end: int) -> Ints:
        """The report times within [begin, end), strictly increasing, the same however the days are sliced."""
        first = int(max(0, (begin - self.start - self.offline) / self.interval - 2)) if self.interval else 0
        last = int(min(self.slots, (end - self.start) / self.interval + 2)) if self.interval else 0
        slots = np.setdiff1d(np.arange(first, max(first, last)), self.missed, assume_unique=True)
        # Below five seconds two reports could fall into one second: no jitter there.
        jitter = 0.36 * (mixed(self.key, slots) - 0.5) if self.interval >= 5 else 0.0
        times = self.start + np.floor((slots + 0.5 + jitter) * self.interval).astype(np.int64)
        times += np.where(times >= self.offline_at, self.offline, 0)
        return np.asarray(times[(times >= begin) & (times < end)])


def fleet(spec: Spec) -> list[Device]:
    """The devices of this data set, by id: `devices_per_user` for each person in turn."""
    counts = shares(spec.readings, spec.devices)
    persons = people(spec)
    draws = stream(spec, "devices")
    made = []
    for index in range(spec.devices):
        owner = persons[index // spec.devices_per_user]
        rooms = owner.profile.rooms
        room = rooms[index % spec.devices_per_user % len(rooms)]
        made.append(Device(
            id=index + 1, owner=owner, room=room, type=_TYPES[room], mac=_mac(int(draws.integers(2**16)), index),
            temperature_bias=float(draws.normal(0, 0.25)), humidity_bias=float(draws.normal(0, 1.2)),
            pressure_bias=float(draws.normal(0, 0.2)) - 0.36 * owner.profile.floor,
            battery_days=float(draws.uniform(34, 80)), battery_phase=float(draws.uniform(0, 1)),
            schedule=_schedule(spec, index, counts[index]),
        ))
    return made


def devices(spec: Spec) -> Rows:
    """The rows of `devices`."""
    made = fleet(spec)
    draws = stream(spec, "device rows")
    joined = np.array([device.owner.joined for device in made], dtype=np.int64)
    created = joined + draws.integers(300, 20 * DAY, len(made))
    return Rows("devices", {
        "id": np.arange(1, len(made) + 1),
        "user_id": np.array([device.owner.id for device in made], dtype=np.int64),
        "type": texts([device.type for device in made]),
        "mac_address": texts([device.mac for device in made]),
        "mqtt_topic": texts([f"lifecompanion/users/{device.owner.id}/devices/{device.mac.replace(':', '')}/readings"
                             for device in made]),
        "is_active": np.ones(len(made), dtype=np.bool_),
        "metadata": texts([_metadata(device) for device in made]),
        "created_at": instants(created),
        "updated_at": instants(created + ((spec.end - created) * draws.uniform(0.3, 1.0, len(made))).astype(np.int64)),
    })


def _schedule(spec: Spec, index: int, count: int) -> Schedule:
    draws = stream(spec, "schedule", index)
    offline = 0
    if spec.days >= _OFFLINE_FROM_DAYS and index % _OFFLINE_EVERY == spec.number % _OFFLINE_EVERY:
        offline = _OFFLINE_HOURS * 3600
    elif spec.days >= _OFFLINE_FROM_DAYS and index == spec.devices - 1 < _OFFLINE_EVERY - 1:
        # A small fleet shows an offline device too.
        offline = _OFFLINE_HOURS * 3600
    span = spec.days * DAY - offline
    lost = int(count * _MISSED)
    # More than one report a second there is not.
    slots = min(count + lost, span)
    lost = slots - count
    run = np.arange(lost // 2) + int(draws.integers(0, max(1, slots - lost)))
    singles = draws.permutation(np.setdiff1d(np.arange(slots), run, assume_unique=True))[:lost - len(run)]
    return Schedule(
        start=spec.start, interval=span / slots if slots else 0.0, slots=slots,
        missed=np.sort(np.concatenate([run, singles])), offline=offline,
        offline_at=spec.start + int(span * draws.uniform(0.2, 0.8)), key=int(draws.integers(2**62)),
    )


def _mac(random: int, index: int) -> str:
    """An address from the locally administered, unicast range; the index keeps it unique."""
    octets = (0x02, random >> 8, random & 255, index >> 16 & 255, index >> 8 & 255, index & 255)
    return ":".join(f"{octet:02X}" for octet in octets)


def _metadata(device: Device) -> str:
    schedule = device.schedule
    return json.dumps({
        "model": _MODELS[device.type], "firmware": f"2.{PROFILES.index(device.owner.profile)}.{device.id % 7}",
        "room": device.room, "floor": device.owner.profile.floor,
        "sampling_seconds": round(schedule.interval),
        "battery": "rechargeable" if device.room == "phone" else "cells",
    })
