"""The rows of `devices`: a phone and room sensors for each person, with their sampling and batteries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seed.generate.device_types import TYPES, DeviceType
from seed.generate.people import Person, people, spots
from seed.generate.profiles import PROFILES
from seed.generate.rows import Rows, instants, texts
from seed.generate.sampling import schedules
from seed.spec import DAY, Spec, stream

# How far the sensors of one device are off, as a deviation over all devices.
_BIAS = {"temperature": 0.25, "humidity": 1.2, "pressure": 0.2}


@dataclass(frozen=True)
class Device:
    """One device: its owner, its place (`room`, or "phone"), its sensors' bias, and the seconds between its reports."""

    id: int
    owner: Person
    room: str
    kind: DeviceType
    mac: str
    temperature_bias: float
    humidity_bias: float
    pressure_bias: float
    battery_days: float
    battery_phase: float
    interval: float

    @property
    def type(self) -> str:
        """The value of the column `type`."""
        return self.kind.name

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"{'Phone' if self.room == 'phone' else self.room.capitalize()} ({self.mac})"


@lru_cache(maxsize=4)
def fleet(spec: Spec) -> tuple[Device, ...]:
    """All devices of the data set, by id: `devices_per_user` for each person in turn."""
    persons = people(spec)
    draws = stream(spec, "devices")
    octets = draws.integers(2**16, size=spec.devices).tolist()
    bias = {name: draws.normal(0, deviation, spec.devices).tolist() for name, deviation in _BIAS.items()}
    days, phase = draws.uniform(34, 80, spec.devices).tolist(), draws.uniform(0, 1, spec.devices).tolist()
    rooms, interval = list(spots(spec)), schedules(spec).interval.tolist()
    all_devices = []
    for index in range(spec.devices):
        owner = persons[index // spec.devices_per_user]
        all_devices.append(Device(
            id=spec.first_device + index, owner=owner, room=rooms[index], kind=TYPES[rooms[index]],
            mac=_mac(octets[index], spec.first_device + index - 1),
            temperature_bias=bias["temperature"][index], humidity_bias=bias["humidity"][index],
            pressure_bias=bias["pressure"][index] - 0.36 * owner.profile.floor,
            battery_days=days[index], battery_phase=phase[index], interval=interval[index],
        ))
    return tuple(all_devices)


def devices(spec: Spec) -> Rows:
    """The rows of `devices`."""
    all_devices = fleet(spec)
    draws = stream(spec, "device rows")
    joined = np.array([device.owner.joined for device in all_devices], dtype=np.int64)
    created = joined + draws.integers(300, 20 * DAY, len(all_devices))
    return Rows("devices", {
        "id": np.array([device.id for device in all_devices], dtype=np.int64),
        "user_id": np.array([device.owner.id for device in all_devices], dtype=np.int64),
        "type": texts([device.type for device in all_devices]),
        "mac_address": texts([device.mac for device in all_devices]),
        "mqtt_topic": texts([f"lifecompanion/users/{device.owner.id}/devices/{device.mac.replace(':', '')}/readings"
                             for device in all_devices]),
        "is_active": np.ones(len(all_devices), dtype=np.bool_),
        "metadata": texts([_metadata(device) for device in all_devices]),
        "created_at": instants(created),
        "updated_at": instants(created + ((spec.end - created)
                                          * draws.uniform(0.3, 1.0, len(all_devices))).astype(np.int64)),
    })


def _mac(random: int, index: int) -> str:
    """An address from the locally administered, unicast range; the index keeps it unique."""
    octets = (0x02, random >> 8, random & 255, index >> 16 & 255, index >> 8 & 255, index & 255)
    return ":".join(f"{octet:02X}" for octet in octets)


def _metadata(device: Device) -> str:
    return json.dumps({
        "model": device.kind.model, "firmware": f"2.{PROFILES.index(device.owner.profile)}.{device.id % 7}",
        "room": device.room, "floor": device.owner.profile.floor,
        "sampling": device.kind.sampling, "sampling_seconds": round(device.interval), "power": device.kind.power,
    })
