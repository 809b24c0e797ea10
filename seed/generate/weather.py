"""The outdoor air of one city, hour by hour, shared by all homes and phones.

Figures for Lyon (45.76 N, 4.84 E, 170 m): monthly means from about 3.5 °C in January to 21.5 °C in July.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from seed.generate.calendar import utc_offset
from seed.generate.rows import Floats, Ints
from seed.spec import DAY, Spec, stream

_LATITUDE, _LONGITUDE = 45.76, 4.84
_MEAN_TEMPERATURE, _SEASON_SWING, _COLDEST_DAY = 12.5, 9.0, 20
_STATION_PRESSURE = 996.0
# Days of weather before the data begins, so that what remembers (walls, batteries) has something to remember.
WARM_UP = 6 * DAY


@dataclass(frozen=True)
class Weather:
    """Outdoor air at each full hour: °C, hPa of water vapour, hPa of pressure, air quality index, share of sun (0..1).

    `walls` is the outdoor temperature smoothed over 36 h, as heavy walls do.
    """

    hours: Ints
    temperature: Floats
    vapour: Floats
    pressure: Floats
    air_quality: Floats
    sun: Floats
    walls: Floats

    def at(self, name: str, times: Ints) -> Floats:
        """One of the columns, interpolated at these times."""
        return np.asarray(np.interp(times, self.hours, getattr(self, name)))


@lru_cache(maxsize=4)
def weather(spec: Spec) -> Weather:
    """The city's weather from WARM_UP before the data begins until it ends."""
    hours = np.arange((spec.start - WARM_UP) // 3600, spec.end // 3600 + 2, dtype=np.int64) * 3600
    draws = stream(spec, "weather")
    front = _autocorrelated(draws, len(hours), 60)
    barometer = _smooth(_autocorrelated(draws, len(hours), 48), 9) * 1.25
    cloud = 1 / (1 + np.exp(-1.6 * _autocorrelated(draws, len(hours), 18) + 0.8 * barometer))
    dryness = _autocorrelated(draws, len(hours), 30)
    season = -np.cos(2 * np.pi * (_day_of_year(hours) - _COLDEST_DAY) / 365.25)
    solar_hour = hours / 3600 % 24 + _LONGITUDE / 15
    swing = (2.6 + 0.9 * season) * (1.5 - cloud)
    slow = _MEAN_TEMPERATURE + _SEASON_SWING * season + 3.0 * front
    temperature = slow + swing * np.cos(2 * np.pi * (solar_hour - 15) / 24)
    dew_point = np.minimum(slow - 4.0 - 2.0 * season + 2.0 * cloud - 1.2 * dryness, temperature - 0.4)
    return Weather(
        hours=hours, temperature=temperature, vapour=saturation(dew_point),
        pressure=_STATION_PRESSURE + 7.0 * barometer,
        air_quality=_street_air(draws, hours, barometer), sun=daylight(hours) * (1.15 - cloud).clip(0, 1),
        walls=_smooth(temperature, 36),
    )


def saturation(celsius: Floats) -> Floats:
    """Saturation pressure of water vapour over water in hPa (Magnus formula, WMO coefficients)."""
    return np.asarray(6.112 * np.exp(17.62 * celsius / (243.12 + celsius)))


def daylight(times: Ints) -> Floats:
    """The sine of the sun's height over the city, 0 at night."""
    declination = -0.409 * np.cos(2 * np.pi * (_day_of_year(times) + 10) / 365.25)
    hour_angle = 2 * np.pi * ((times / 3600 + _LONGITUDE / 15) % 24 - 12) / 24
    latitude = np.radians(_LATITUDE)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)
    return np.asarray(np.maximum(0.0, height))


def _day_of_year(times: Ints) -> Floats:
    years = times.astype("datetime64[s]").astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    return np.asarray((times - years) / DAY)


def _street_air(draws: np.random.Generator, hours: Ints, barometer: Floats) -> Floats:
    """Air quality index in the street: traffic at rush hours of workdays, worse under a high that lets nothing move."""
    offset = np.array([utc_offset(int(hour)) for hour in hours], dtype=np.int64)
    local = (hours + offset) / 3600 % 24
    workday = ((hours + offset) // DAY + 3) % 7 < 5
    rush = np.exp(-((local - 8.4) / 1.3) ** 2) + 0.85 * np.exp(-((local - 18.3) / 1.8) ** 2)
    noise = _autocorrelated(draws, len(hours), 6)
    air = 30 + 9 * np.maximum(0, barometer) + np.where(workday, 20.0, 7.0) * rush + 5 * noise
    return np.asarray(np.clip(air, 5, 250))


def _autocorrelated(draws: np.random.Generator, count: int, hours: float) -> Floats:
    """An autocorrelated series (AR(1), mean 0, deviation 1) that forgets with this time constant."""
    kept = float(np.exp(-1 / hours))
    steps = draws.normal(0, np.sqrt(1 - kept**2), count)
    values = np.empty(count)
    level = float(draws.normal())
    for index in range(count):
        level = kept * level + float(steps[index])
        values[index] = level
    return values


def _smooth(series: Floats, hours: float) -> Floats:
    """The series as something slow follows it: an exponential mean of the past."""
    kept = float(np.exp(-1 / hours))
    smoothed = np.empty(len(series))
    level = float(series[0])
    for index, value in enumerate(series):
        level = kept * level + (1 - kept) * float(value)
        smoothed[index] = level
    return smoothed
