"""Climate: the air in each room and around each phone, and the factory of `environmental_readings`.

Everything is computed per week from the weather and the people's timelines with a bounded memory (`_MEMORY`), so any
week can be made without the weeks before it, and a long data set needs no more memory than one week of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from seed.activities import PLACE_NAMES, Timeline, timeline
from seed.battery import cell_level, phone_level
from seed.devices import Device, fleet
from seed.people import Person, people
from seed.profiles import ACTIVITIES, HOME
from seed.rows import Array, Bools, Floats, Ints, Rows, instants, mixed
from seed.spec import DAY, Spec, stream
from seed.weather import WARM_UP, Weather, saturation, weather

WEEK = 7 * DAY
_STEP = 300
_MEMORY = 3 * DAY
# How warm, moist (hPa of vapour) and smoky a room would get if the cooking went on for hours, and what share of the
# kitchen's air each room has.
_COOKING = {"temperature": 3.8, "vapour": 11.5, "air_quality": 290.0}
_KITCHEN_SHARE = {"kitchen": 1.0, "living room": 0.28, "bedroom": 0.1, "bathroom": 0.06}
_ROOM_OFFSET = {"kitchen": 0.3, "living room": 0.0, "bedroom": -1.0, "bathroom": 0.8}
_SENSOR_NOISE = {"temperature": 0.07, "humidity": 0.5, "pressure": 0.09, "air_quality": 2.5}
_OUTLIERS = 1 / 4000


@dataclass(frozen=True)
class Air:
    """Air along a grid of times: °C, hPa of water vapour, air quality index (0 clean, 500 hazardous)."""

    temperature: Floats
    vapour: Floats
    air_quality: Floats

    def humidity(self) -> Floats:
        """Relative humidity in per cent, what a wall would condense taken off."""
        return np.clip(100 * self.vapour / saturation(self.temperature), 5, 98)


@dataclass(frozen=True)
class Home:
    """A home along a grid of times: what its person does, where, how intensely, and the air outside."""

    person: Person
    times: Ints
    activity: Ints
    place: Ints
    strength: Floats
    outside: Air
    walls: Floats
    sun: Floats

    def doing(self, activity: str) -> Bools:
        return np.asarray(self.activity == ACTIVITIES.index(activity))

    def within(self, place: str) -> Bools:
        return np.asarray(self.place == PLACE_NAMES.index(place))


def readings(spec: Spec) -> Iterator[Rows]:
    """The rows of `environmental_readings`, week by week in order of time: exactly `spec.readings` in all."""
    sky = weather(spec)
    lives = {person.id: timeline(spec, person, spec.start - WARM_UP, spec.end) for person in people(spec)}
    homes: dict[int, list[Device]] = {}
    for device in fleet(spec):
        homes.setdefault(device.owner.id, []).append(device)
    made = 0
    for begin in range(spec.start // WEEK * WEEK, spec.end, WEEK):
        parts = [part for owner, owned in homes.items()
                 for part in _home_readings(spec, sky, lives[owner], owned, begin)]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        order = np.lexsort((columns["device_id"], columns["measured_at"]))
        columns = {name: values[order] for name, values in columns.items()}
        count = len(order)
        if count:
            columns["measured_at"] = instants(columns["measured_at"])
            yield Rows("environmental_readings", {"id": np.arange(made + 1, made + count + 1), **columns})
        made += count


def _home_readings(spec: Spec, sky: Weather, life: Timeline, owned: list[Device],
                   begin: int) -> Iterator[Mapping[str, Array]]:
    """The week's readings of one person's devices, one mapping of columns each."""
    home = home_at(sky, owned[0].owner, life, np.arange(begin - _MEMORY, begin + WEEK + _STEP, _STEP))
    rooms = {room: room_air(home, room) for room in HOME}
    for device in owned:
        times = device.schedule.times(begin, min(begin + WEEK, spec.end))
        if device.room == "phone":
            air, level = phone_air(home, rooms), phone_level(device, life, home.times)
        else:
            air, level = rooms[device.room], cell_level(spec, device, home.times)
        yield _measured(spec, device, times, grid=home.times, air=air, level=level, sky=sky)


def _measured(spec: Spec, device: Device, times: Ints, *, grid: Ints, air: Air, level: Floats,
              sky: Weather) -> Mapping[str, Array]:
    """What the sensor reports of this air: its bias, its noise, a rare outlier, rounded to the column's scale."""
    week = int(grid[0] // WEEK)
    draws = stream(spec, "noise", device.id, week)
    noise = {name: draws.normal(0, deviation, len(times)) for name, deviation in _SENSOR_NOISE.items()}
    strange = mixed(device.schedule.key + 1, times) < _OUTLIERS
    noise["temperature"] += np.where(strange, draws.uniform(4, 9, len(times)), 0.0)
    temperature = np.interp(times, grid, air.temperature) + device.temperature_bias + noise["temperature"]
    humidity = np.interp(times, grid, air.humidity()) + device.humidity_bias + noise["humidity"]
    pressure = sky.at("pressure", times) + device.pressure_bias + noise["pressure"]
    quality = np.interp(times, grid, air.air_quality) + noise["air_quality"]
    return {
        "device_id": np.full(len(times), device.id, dtype=np.int64),
        "measured_at": times,
        "temperature": np.round(np.clip(temperature, -50, 90), 2),
        "humidity": np.round(np.clip(humidity, 0, 100), 2),
        "pressure": np.round(np.clip(pressure, 800, 1100), 2),
        "air_quality": np.rint(np.clip(quality, 0, 500)).astype(np.int64),
        "battery_level": np.rint(np.clip(np.interp(times, grid, level), 0, 100)).astype(np.int64),
    }


def home_at(sky: Weather, person: Person, life: Timeline, times: Ints) -> Home:
    """The home along these times."""
    now = life.at(times)
    return Home(person, times, life.activities[now], life.places[now], life.strengths[now],
                Air(*(sky.at(name, times) for name in ("temperature", "vapour", "air_quality"))),
                sky.at("walls", times), sky.at("sun", times))


def room_air(home: Home, room: str) -> Air:
    """The air of one room: weather through the walls, heating, sun, people, cooking, washing, airing."""
    present = followed(home.within(room) * 1.0, 40)
    cooking = home.doing("cooking") & home.within("kitchen")
    smoke = followed(cooking * home.strength, 30)
    if room != "kitchen":
        smoke = _KITCHEN_SHARE[room] * followed(smoke, 20)
    shower = followed((home.doing("hygiene") & home.within("bathroom")) * home.strength, 15)
    steam = shower * (14.0 if room == "bathroom" else 1.2)
    dust = followed(home.doing("housework") * home.strength, 25) * (25 if room == "living room" else 12)
    # A room's window is open while the home is cleaned, the bedroom's while its owner washes in the morning.
    window = home.doing("housework") | (home.doing("hygiene") if room == "bedroom" else False)
    open_share = 0.3 * followed(window * 1.0, 12)
    vapour = followed(home.outside.vapour, 150) + 1.2 + 1.6 * present + _COOKING["vapour"] * smoke + steam
    quality = 0.75 * followed(home.outside.air_quality, 60) + 9 * present + _COOKING["air_quality"] * smoke + dust
    temperature = _warmth(home, room) + _COOKING["temperature"] * smoke + 0.7 * present + 1.5 * (steam / 14)
    return Air(*(inside * (1 - open_share) + outside * open_share for inside, outside in
                 ((temperature, home.outside.temperature), (vapour, home.outside.vapour),
                  (quality, home.outside.air_quality))))


def _warmth(home: Home, room: str) -> Floats:
    """Temperature from the weather and the heating: what the walls and the sun give, never below the thermostat."""
    awake = np.isin(home.place, [PLACE_NAMES.index(name) for name in HOME]) & ~home.doing("sleep")
    wanted = np.where(awake, home.person.profile.comfort, home.person.profile.comfort - 2.6) + _ROOM_OFFSET[room]
    # Weather through walls and sun through windows; inner gains keep an unheated home some degrees above the street.
    free = 4.0 + home.walls + 0.22 * followed(home.outside.temperature - home.walls, 90) + 2.2 * followed(home.sun, 120)
    thermostat = followed(wanted, 80)
    return thermostat + np.logaddexp(0.0, 1.3 * (0.75 * free + 0.25 * 22 - thermostat)) / 1.3


def phone_air(home: Home, rooms: Mapping[str, Air]) -> Air:
    """The air around the phone: of the room, vehicle or street its owner is in, warmed by hand and pocket."""
    street = home.outside
    conditioned = np.clip(0.35 * street.temperature + 14.5, 20.5, 26.0)
    indoors = Air(conditioned, 0.6 * street.vapour + 4.0, 0.6 * street.air_quality + 8)
    transit = Air(0.65 * street.temperature + 0.35 * conditioned, street.vapour + 0.8, 1.5 * street.air_quality + 12)
    known = {**rooms, "transit": transit, "outdoors": street}
    parts = [known.get(name, indoors) for name in PLACE_NAMES]
    around = [np.choose(home.place, [getattr(part, name) for part in parts])
              for name in ("temperature", "vapour", "air_quality")]
    moving = home.within("transit") | home.within("outdoors")
    # In the hand and in use it is warm; on the way it is in a bag or in the wind; at night it lies and charges.
    held = np.where(home.doing("sleep"), 0.04, np.where(moving, 0.15, 0.42))
    around[0] = around[0] + held * (33.0 - around[0])
    return Air(*(followed(values, 9) for values in around))


def followed(series: Array, minutes: float) -> Floats:
    """The series as something with this time constant follows it (exponential mean of the past)."""
    steps = minutes * 60 / _STEP
    kernel = np.exp(-np.arange(int(8 * steps) + 2) / steps)
    kernel /= kernel.sum()
    return np.asarray(series[0] + np.convolve(series - series[0], kernel)[:len(series)])
