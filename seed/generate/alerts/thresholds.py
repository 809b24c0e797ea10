"""The documented limits whose crossing causes a notification."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ROOMS = ("kitchen", "living room", "bedroom", "bathroom")
_SEDENTARY = ("work", "study", "rest", "leisure")


@dataclass(frozen=True)
class Threshold:
    """One limit: the measure, the rooms' devices or kinds of activity it applies to, the value, and the cool-down.

    `measure` is a column of environmental_readings, "silence" (minutes without a reading), "minutes" (an activity's
    duration) or a key of an activity's metadata. `rooms` apply to readings, `activities` to activities.
    """

    type: str
    title: str
    measure: str
    words: str
    limit: float
    unit: str
    cooldown_minutes: int
    below: bool = False
    rooms: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()

    def is_crossed_by(self, values: Any) -> Any:
        """Whether a number is beyond the limit; for an array, an array of bools."""
        return values < self.limit if self.below else values > self.limit


THRESHOLDS = (
    Threshold("air_quality_poor", "Poor air quality", "air_quality", "air quality", 150, "", 120, rooms=_ROOMS),
    Threshold("humidity_high", "High humidity", "humidity", "humidity", 70, " %", 240, rooms=_ROOMS),
    Threshold("humidity_low", "Dry air", "humidity", "humidity", 30, " %", 480, below=True, rooms=_ROOMS),
    Threshold("temperature_high", "Too warm", "temperature", "temperature", 27, " °C", 360, rooms=_ROOMS),
    Threshold("temperature_low", "Too cold", "temperature", "temperature", 17, " °C", 480, below=True, rooms=_ROOMS),
    Threshold("cold_exposure", "Cold outside", "temperature", "temperature", 10, " °C", 480, below=True,
              rooms=("phone",)),
    Threshold("pressure_low", "Storm possible", "pressure", "pressure", 985, " hPa", 1440, below=True,
              rooms=("phone",)),
    Threshold("battery_low", "Battery low", "battery_level", "battery", 20, " %", 480, below=True,
              rooms=("phone", *_ROOMS)),
    Threshold("device_offline", "Device offline", "silence", "no reading for", 180, " min", 360,
              rooms=("phone", *_ROOMS)),
    Threshold("long_sitting", "Time to move", "minutes", "without a break for", 45, " min", 180, activities=_SEDENTARY),
    Threshold("activity_goal", "Goal reached", "minutes", "active for", 30, " min", 600,
              activities=("exercise", "walk")),
    Threshold("heart_rate_high", "High heart rate", "heart_rate_bpm", "heart rate", 150, " bpm", 600,
              activities=("exercise",)),
    Threshold("noise_high", "Loud surroundings", "noise_db", "noise", 75, " dB", 240,
              activities=("transport", "social", "housework", "shopping", "childcare")),
)
