"""The metadata of an activity window: light, noise, movement, and details that fit its kind."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from seed.generate.calendar import utc_offset
from seed.generate.rows import Floats, Ints
from seed.generate.weather import daylight

BASE_CONFIDENCE = {
    "sleep": 0.97, "hygiene": 0.85, "cooking": 0.88, "meal": 0.83, "rest": 0.80, "leisure": 0.82, "housework": 0.79,
    "study": 0.86, "childcare": 0.77, "social": 0.78, "work": 0.92, "transport": 0.93, "exercise": 0.94, "walk": 0.92,
    "shopping": 0.81,
}
# Typical noise in dB(A), movement in 0..1 and lamp light in lux where it is dark outside.
_NOISE = {"sleep": 27, "hygiene": 56, "cooking": 61, "meal": 55, "rest": 40, "leisure": 52, "housework": 63,
          "study": 41, "childcare": 62, "social": 68, "work": 53, "transport": 71, "exercise": 60, "walk": 58,
          "shopping": 64}
_MOVEMENT = {"sleep": 0.02, "hygiene": 0.4, "cooking": 0.45, "meal": 0.15, "rest": 0.05, "leisure": 0.08,
             "housework": 0.6, "study": 0.06, "childcare": 0.4, "social": 0.2, "work": 0.12, "transport": 0.35,
             "exercise": 0.9, "walk": 0.7, "shopping": 0.5}
_OUTSIDE = frozenset({"outdoors", "transit"})
_CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "cooking": ("dish", ("gratin dauphinois", "soupe de légumes", "pâtes", "omelette", "quiche", "ratatouille",
                         "poulet rôti", "riz cantonais")),
    "leisure": ("kind", ("television", "reading", "music", "video games", "crafts")),
    "housework": ("kind", ("cleaning", "laundry", "dishes", "tidying")),
    "shopping": ("kind", ("supermarket", "bakery", "market", "pharmacy")),
    "childcare": ("kind", ("playing", "bathing", "homework", "school run")),
    "social": ("with", ("friends", "family", "neighbours")),
    "work": ("mode", ("desk", "meeting", "on the move")),
    "study": ("subject", ("mathematics", "history", "programming", "languages")),
    "rest": ("kind", ("sitting", "lying", "coffee break")),
    "exercise": ("kind", ("running", "cycling", "gymnastics")),
    "sleep": ("stage", ("light", "deep", "light", "rem")),
}
_SPEED = {"metro": 27.0, "car": 31.0, "bus": 18.0, "tram": 20.0}


@dataclass(frozen=True)
class _Window:
    kind: str
    minutes: float
    hour: float
    strength: float
    transport: str
    draw: float


def metadata(draws: np.random.Generator, names: Sequence[str], places: Sequence[str], *, starts: Ints, ends: Ints,
             strengths: Floats, transports: Sequence[str]) -> list[str]:
    """One JSON document for each window, in order."""
    count = len(names)
    light = _light(draws, names, places, starts, ends)
    noise = np.array([_NOISE[name] for name in names], dtype=np.float64) + draws.normal(0, 3.5, count)
    movement = np.array([_MOVEMENT[name] for name in names], dtype=np.float64) * np.exp(draws.normal(0, 0.3, count))
    picks = draws.random(count)
    documents = []
    for index, name in enumerate(names):
        hour = datetime.fromtimestamp(int(starts[index]) + utc_offset(int(starts[index])), UTC)
        window = _Window(name, float(ends[index] - starts[index]) / 60, hour.hour + hour.minute / 60,
                         float(strengths[index]), transports[index], float(picks[index]))
        documents.append(json.dumps({
            "place": places[index], "light_lux": round(float(light[index]), 1),
            "noise_db": round(float(noise[index]), 1), "movement": round(min(1.0, float(movement[index])), 2),
            **_details(window),
        }, ensure_ascii=False))
    return documents


def _light(draws: np.random.Generator, names: Sequence[str], places: Sequence[str], starts: Ints, ends: Ints) -> Floats:
    """Lux at the window's middle: dark where people sleep, lamps after sunset, the sky outdoors."""
    sun = daylight((starts + ends) // 2)
    outside = np.array([place in _OUTSIDE for place in places])
    asleep = np.array([name == "sleep" for name in names])
    indoors = 110 + 420 * sun
    lux = np.where(outside, 15 + 22_000 * sun, indoors)
    lux = np.where(asleep, 0.6 + 4 * sun, lux)
    return np.asarray(lux * np.exp(draws.normal(0, 0.35, len(names))))


def _details(window: _Window) -> dict[str, Any]:
    details: dict[str, Any] = {}
    if window.kind in _CHOICES:
        key, values = _CHOICES[window.kind]
        details[key] = values[int(window.draw * len(values))]
    if window.kind == "transport":
        details |= {"mode": window.transport,
                    "distance_km": round(window.minutes / 60 * _SPEED[window.transport] * window.strength ** 0.3, 1)}
    elif window.kind == "exercise":
        details |= {"heart_rate_bpm": round(118 + 26 * window.strength + 10 * window.draw),
                    "calories": round(window.minutes * 8.2 * window.strength ** 0.5)}
    elif window.kind == "walk":
        details["steps"] = round(window.minutes * (88 + 24 * window.draw))
    elif window.kind == "meal":
        details["meal"] = "breakfast" if window.hour < 10.5 else "lunch" if window.hour < 16 else "dinner"
    elif window.kind == "sleep":
        details["breathing_per_minute"] = round(12.5 + 4 * window.draw, 1)
    return details
