"""The air in each room of each home and around each phone, at regular times.

It is computed from the weather and people's activities with a bounded memory (`MEMORY`), so any slice of time can be
generated without the ones before. Arrays have a row for each time and a column for each home.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seed.generate.activities import PLACE_NAMES, Lives
from seed.generate.people import Person
from seed.generate.profiles import ACTIVITIES, HOME
from seed.generate.rows import Bools, Floats, Ints
from seed.generate.weather import Weather, saturation
from seed.spec import DAY

# Seconds between two times of the grid, and how long before its first reading the grid has to begin.
STEP = 300
MEMORY = DAY // 2
# Rows of the grid after which rooms have forgotten how it began; the two hours left are for the phones.
_FORGOTTEN = (MEMORY - 7200) // STEP
# How warm, moist (hPa of vapour) and smoky a room would get if the cooking went on for hours, and what share of the
# kitchen's air each room has.
_COOKING = {"temperature": 3.8, "vapour": 11.5, "air_quality": 290.0}
_KITCHEN_SHARE = {"kitchen": 1.0, "living room": 0.28, "bedroom": 0.1, "bathroom": 0.06}
_ROOM_OFFSET = {"kitchen": 0.3, "living room": 0.0, "bedroom": -1.0, "bathroom": 0.8}


@dataclass(frozen=True)
class Air:
    """Air at regular times: °C, hPa of water vapour, air quality index (0 clean, 500 hazardous)."""

    temperature: Floats
    vapour: Floats
    air_quality: Floats

    def since(self, row: int) -> Air:
        """The air from this row on."""
        return Air(self.temperature[row:], self.vapour[row:], self.air_quality[row:])

    def humidity(self) -> Floats:
        """Relative humidity in per cent, limited to 5..98."""
        return np.clip(100 * self.vapour / saturation(self.temperature), 5, 98)


@dataclass(frozen=True)
class Homes:
    """Homes at regular times: activity, place and intensity of their people, and the outdoor air, the same for all."""

    activity: Ints
    place: Ints
    strength: Floats
    comfort: Floats
    outside: Air
    walls: Floats
    sun: Floats

    def since(self, row: int) -> Homes:
        """The homes from this row on."""
        return Homes(self.activity[row:], self.place[row:], self.strength[row:], self.comfort, self.outside.since(row),
                     self.walls[row:], self.sun[row:])

    def doing(self, activity: str) -> Bools:
        """Where and when people do this activity."""
        return np.asarray(self.activity == ACTIVITIES.index(activity))

    def within(self, place: str) -> Bools:
        """Where and when people are in this place."""
        return np.asarray(self.place == PLACE_NAMES.index(place))


@dataclass(frozen=True)
class Habits:
    """The effect of people's activities on their homes' air, each smoothed with its own time constant."""

    present: Mapping[str, Floats]
    smoke: Floats
    smoke_elsewhere: Floats
    steam: Floats
    dust: Floats
    window: Floats
    bedroom_window: Floats
    thermostat: Floats


def homes_at(sky: Weather, persons: Sequence[Person], lived: Lives, entries: Ints, times: Ints) -> Homes:
    """The homes at these times; `entries` is the activity at each time (`Lives.at`)."""
    outside = Air(*(sky.at(name, times)[:, None] for name in ("temperature", "vapour", "air_quality")))
    return Homes(lived.activities[entries], lived.places[entries], lived.strengths[entries],
                 np.array([person.profile.comfort for person in persons]), outside,
                 sky.at("walls", times)[:, None], sky.at("sun", times)[:, None])


def rooms_air(homes: Homes) -> dict[str, Air]:
    """The air of every room: weather through the walls, heating, sun, people, cooking, washing, airing.

    Starts `_FORGOTTEN` rows after the grid does.
    """
    street = homes.outside
    # In one pass along the times with the habits: it is the number of passes that costs.
    shared = np.concatenate([street.vapour, street.air_quality, street.temperature - homes.walls, homes.sun], axis=1)
    habits, soaked = _habits(homes, shared, (150, 60, 90, 120))
    vapour, quality, draught, sun = np.split(soaked, 4, axis=1)
    # Weather through walls and sun through windows; inner gains keep an unheated home some degrees above the street.
    free = 4.0 + homes.walls[_FORGOTTEN:] + 0.22 * draught + 2.2 * sun
    outside = street.since(_FORGOTTEN)
    inside = Air(outside.temperature, vapour, quality)
    return {room: _room_air(outside, habits, inside, free, room) for room in HOME}


def _habits(homes: Homes, shared: Floats, shared_minutes: Sequence[int]) -> tuple[Habits, Floats]:
    """Everything that follows what people do, and some columns that all homes share, in one pass along the times."""
    doing, within, strength = homes.doing, homes.within, homes.strength
    housework, hygiene = doing("housework"), doing("hygiene")
    awake = np.isin(homes.place, [PLACE_NAMES.index(name) for name in HOME]) & ~doing("sleep")
    wanted = np.where(awake, homes.comfort, homes.comfort - 2.6)
    # A room's window is open while the home is cleaned, the bedroom's while its owner washes in the morning.
    series = [*(within(room) * 1.0 for room in HOME), doing("cooking") * within("kitchen") * strength,
              hygiene * within("bathroom") * strength, housework * strength, housework * 1.0,
              (housework | hygiene) * 1.0, wanted]
    minutes = [*(40 for _ in HOME), 30, 15, 25, 12, 12, 80]
    own = len(series) * strength.shape[1]
    stacked = smooth(np.concatenate([*series, shared], axis=1),
                     np.append(np.repeat(minutes, strength.shape[1]), shared_minutes))
    smoke = len(HOME)
    spread = smooth(np.split(stacked[:, :own], len(series), axis=1)[smoke], 20)
    smoothed = np.split(stacked[_FORGOTTEN:, :own], len(series), axis=1)
    return (Habits(dict(zip(HOME, smoothed, strict=False)), smoothed[smoke], spread[_FORGOTTEN:],
                   *smoothed[smoke + 1:]), stacked[_FORGOTTEN:, own:])


def _room_air(outside: Air, habits: Habits, inside: Air, free: Floats, room: str) -> Air:
    present = habits.present[room]
    smoke = habits.smoke if room == "kitchen" else _KITCHEN_SHARE[room] * habits.smoke_elsewhere
    steam = habits.steam * (14.0 if room == "bathroom" else 1.2)
    dust = habits.dust * (25 if room == "living room" else 12)
    open_share = 0.3 * (habits.bedroom_window if room == "bedroom" else habits.window)
    vapour = inside.vapour + 1.2 + 1.6 * present + _COOKING["vapour"] * smoke + steam
    quality = 0.75 * inside.air_quality + 9 * present + _COOKING["air_quality"] * smoke + dust
    warmth = _warmth(habits.thermostat + _ROOM_OFFSET[room], free)
    temperature = warmth + _COOKING["temperature"] * smoke + 0.7 * present + 1.5 * (steam / 14)
    return Air(*(indoors * (1 - open_share) + outdoors * open_share for indoors, outdoors in
                 ((temperature, outside.temperature), (vapour, outside.vapour),
                  (quality, outside.air_quality))))


def _warmth(thermostat: Floats, free: Floats) -> Floats:
    """Temperature from the weather and the heating: what the walls and the sun give, never below the thermostat."""
    above = (0.75 * free + 0.25 * 22) - thermostat
    # A bend in place of a corner: half a degree above the thermostat where the weather alone would give as much.
    return thermostat + 0.5 * (above + np.sqrt(above * above + 1.1))


def phones_air(homes: Homes, rooms: Mapping[str, Air]) -> Air:
    """The air around the phones: of the room, vehicle or street their owners are in, warmed by hand and pocket.

    Starts at the same row as the rooms' air.
    """
    homes = homes.since(_FORGOTTEN)
    street = homes.outside
    conditioned = np.clip(0.35 * street.temperature + 14.5, 20.5, 26.0)
    indoors = Air(conditioned, 0.6 * street.vapour + 4.0, 0.6 * street.air_quality + 8)
    transit = Air(0.65 * street.temperature + 0.35 * conditioned, street.vapour + 0.8, 1.5 * street.air_quality + 12)
    around = [np.broadcast_to(getattr(indoors, name), homes.place.shape).copy()
              for name in ("temperature", "vapour", "air_quality")]
    for place, air in {**rooms, "transit": transit, "outdoors": street}.items():
        here = homes.within(place)
        for values, name in zip(around, ("temperature", "vapour", "air_quality"), strict=True):
            np.copyto(values, getattr(air, name), where=here)
    moving = homes.within("transit") | homes.within("outdoors")
    # In the hand and in use it is warm; on the way it is in a bag or in the wind; at night it lies and charges.
    held = np.where(homes.doing("sleep"), 0.04, np.where(moving, 0.15, 0.42))
    around[0] += held * (33.0 - around[0])
    return Air(*np.split(smooth(np.concatenate(around, axis=1), 9), 3, axis=1))


def drop_warm_up(grid: Ints) -> Ints:
    """The times of the grid for which the air of rooms and phones is computed: without the first `_FORGOTTEN`."""
    return grid[_FORGOTTEN:]


def smooth(series: Floats, minutes: float | Ints) -> Floats:
    """The exponential moving average of a series with this time constant in minutes, column by column.

    `minutes` is one for all columns, or one for each.
    """
    kept = np.broadcast_to(np.exp(-STEP / 60 / np.asarray(minutes, dtype=np.float64)), series.shape[1:])
    smoothed = (1 - kept) * series
    level = series[0].astype(np.float64)
    for row in smoothed:
        np.multiply(level, kept, out=level)
        np.add(row, level, out=row)
        level[:] = row
    return smoothed
