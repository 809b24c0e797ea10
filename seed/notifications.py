"""Notifications: the documented thresholds, the watch that finds what crossed them, the factory of `notifications`.

Each notification has one cause: a reading that crossed a limit (the device's reading before it had not), a silence, or
an activity window. It is sent within three minutes of its cause, and never within the threshold's cool-down after
another of the same type to the same user. To find a cause by query: the user's rows in the minutes before `sent_at`,
with the device (MAC address) or the activity and its times from the message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from seed.days import utc_offset
from seed.devices import Device, fleet
from seed.errors import SeedError
from seed.people import Person, people
from seed.rows import Array, Ints, Rows, instants, texts
from seed.spec import Spec, stream

_ROOMS = ("kitchen", "living room", "bedroom", "bathroom")
_SEDENTARY = ("work", "study", "rest", "leisure")


@dataclass(frozen=True)
class Threshold:
    """One limit: which measure of which rooms' devices or kinds of activity, beyond which value, how often at most.

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

    def crossed(self, values: Any) -> Any:
        """Which values are beyond the limit: a truth for a number, an array of them for an array."""
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


@dataclass(frozen=True)
class Cause:
    """What made a notification due at `at` (seconds since 1970)."""

    at: int
    user_id: int
    threshold: int
    subject: str
    value: float
    limit: float


@dataclass
class Watch:
    """Looks at readings, in order of time, and activities as they pass, and keeps what crossed a threshold."""

    spec: Spec
    causes: list[Cause] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._devices = fleet(self.spec)
        self._beyond: dict[tuple[int, int], bool] = {}
        self._heard: dict[int, int] = {}

    def readings(self, rows: Rows) -> None:
        """Look at the next readings."""
        order = np.argsort(rows.columns["device_id"], kind="stable")
        columns = {name: values[order] for name, values in rows.columns.items()}
        owners = columns["device_id"]
        bounds = np.searchsorted(owners, np.arange(1, len(self._devices) + 2))
        for device in self._devices:
            part = slice(bounds[device.id - 1], bounds[device.id])
            times: Ints = columns["measured_at"][part].astype(np.int64)
            if len(times):
                self._silences(device, times)
                self._crossings(device, times, {name: values[part] for name, values in columns.items()})

    def _silences(self, device: Device, times: Ints) -> None:
        heard = np.concatenate([[self._heard.get(device.id, times[0])], times])
        self._heard[device.id] = int(times[-1])
        for number, threshold in enumerate(THRESHOLDS):
            if threshold.measure == "silence":
                # A device that reports rarely is not offline because it waits for its next turn.
                limit = max(threshold.limit, round(device.schedule.interval * 10 / 60))
                for index in np.flatnonzero(np.diff(heard) > (limit + 5) * 60):
                    self.causes.append(Cause(int(heard[index]) + int(limit) * 60, device.owner.id, number, device.label,
                                             limit, limit))

    def _crossings(self, device: Device, times: Ints, columns: dict[str, Array]) -> None:
        for number, threshold in enumerate(THRESHOLDS):
            if device.room not in threshold.rooms or threshold.measure not in columns:
                continue
            values = columns[threshold.measure]
            beyond = threshold.crossed(values)
            key = (number, device.id)
            before = np.concatenate([[self._beyond.get(key, True)], beyond[:-1]])
            self._beyond[key] = bool(beyond[-1])
            for index in np.flatnonzero(beyond & ~before):
                self.causes.append(Cause(int(times[index]), device.owner.id, number, device.label,
                                         float(values[index]), threshold.limit))

    def activities(self, rows: Rows) -> None:
        """Look at activity windows."""
        columns = rows.columns
        starts, ends = columns["started_at"].astype(np.int64), columns["ended_at"].astype(np.int64)
        kinds, owners, details = columns["activity_type"], columns["user_id"], columns["metadata"]
        for number, threshold in enumerate(THRESHOLDS):
            for index in np.flatnonzero(np.isin(kinds, threshold.activities)) if threshold.activities else ():
                start, end = int(starts[index]), int(ends[index])
                value = (end - start) // 60 if threshold.measure == "minutes" else \
                    json.loads(details[index])[threshold.measure]
                if threshold.crossed(value):
                    subject = f"{str(kinds[index]).capitalize()} from {_clock(start)} to {_clock(end)}"
                    self.causes.append(Cause(end, int(owners[index]), number, subject, float(value), threshold.limit))


def alerts(spec: Spec, weeks: Iterable[Rows], activities: Rows) -> Rows:
    """The rows of `notifications` that these readings and activities cause, in order of time: `spec.notifications`."""
    watch = Watch(spec)
    for rows in weeks:
        watch.readings(rows)
    watch.activities(activities)
    return notifications(watch)


def notifications(watch: Watch) -> Rows:
    """The rows of `notifications` for what a watch has seen, types in fair shares.

    Raises SeedError where fewer causes were seen than notifications are asked for.
    """
    spec = watch.spec
    due = _due(spec, watch.causes)
    if len(due) < spec.notifications:
        raise SeedError(f"seed notifications: {spec.notifications} asked for, but these readings and activities cross "
                        f"the thresholds only {len(due)} times; ask for at most {len(due)}, or for more days")
    chosen = _chosen(spec, due)
    causes = [cause for _, cause in chosen]
    sent = np.array([sent for sent, _ in chosen], dtype=np.int64)
    status, read = _answers(spec, sent, causes)
    return Rows("notifications", {
        "id": np.arange(1, len(causes) + 1),
        "user_id": np.array([cause.user_id for cause in causes], dtype=np.int64),
        "title": texts([THRESHOLDS[cause.threshold].title for cause in causes]),
        "message": texts([_message(cause) for cause in causes]),
        "type": texts([THRESHOLDS[cause.threshold].type for cause in causes]),
        "status": texts(status),
        "sent_at": instants(sent),
        "read_at": read,
        "created_at": instants(sent),
    })


def _due(spec: Spec, causes: list[Cause]) -> list[tuple[int, Cause]]:
    """What is sent, and when: seconds to three minutes after the cause, outside the cool-down, by now."""
    ordered = sorted(causes, key=lambda cause: (cause.at, cause.threshold, cause.user_id, cause.subject))
    delays = stream(spec, "delays").integers(4, 170, len(ordered))
    last: dict[tuple[int, int], int] = {}
    due = []
    for cause, delay in zip(ordered, delays, strict=True):
        sent, key = cause.at + int(delay), (cause.user_id, cause.threshold)
        wait = THRESHOLDS[cause.threshold].cooldown_minutes * 60
        if sent <= spec.end and (key not in last or sent - last[key] >= wait):
            last[key] = sent
            due.append((sent, cause))
    return due


def _chosen(spec: Spec, due: list[tuple[int, Cause]]) -> list[tuple[int, Cause]]:
    """As many as asked for: rare types whole, frequent ones thinned out evenly."""
    draws = stream(spec, "chosen").random(len(due))
    ranked: dict[int, list[int]] = {}
    for index in np.argsort(draws, kind="stable"):
        ranked.setdefault(due[index][1].threshold, []).append(int(index))
    turns = sorted((rank, threshold, index) for threshold, indexes in ranked.items()
                   for rank, index in enumerate(indexes))
    kept = [due[index] for _, _, index in turns[:spec.notifications]]
    return sorted(kept, key=lambda item: (item[0], item[1].user_id, item[1].threshold))


def _answers(spec: Spec, sent: Ints, causes: list[Cause]) -> tuple[list[str], Array]:
    """Status and time of reading, as each profile treats its notifications; nobody reads at night."""
    persons: dict[int, Person] = {person.id: person for person in people(spec)}
    draws = stream(spec, "answers")
    chance, patience, keeps = draws.random(len(sent)), np.exp(draws.normal(0, 0.9, len(sent))), draws.random(len(sent))
    status, read = [], np.full(len(sent), np.datetime64("NaT", "s"))
    for index, cause in enumerate(causes):
        profile = persons[cause.user_id].profile
        opened = int(sent[index]) + 5 + int(profile.reads_after_minutes * 60 * patience[index])
        hour = (opened + utc_offset(opened)) / 3600 % 24
        if hour < 6.5:
            opened += int((6.5 - hour) * 3600 + 1800 * patience[index])
        if chance[index] >= profile.reads or opened > spec.end:
            status.append("unread")
            continue
        read[index] = np.datetime64(opened, "s")
        status.append("archived" if keeps[index] < profile.archives else "read")
    return status, read


def _message(cause: Cause) -> str:
    threshold = THRESHOLDS[cause.threshold]
    side = "below" if threshold.below else "above"
    if threshold.measure == "silence":
        side = "at"
    return (f"{cause.subject}: {threshold.words} {cause.value:g}{threshold.unit}, {side} the limit of "
            f"{cause.limit:g}{threshold.unit}.")


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds + utc_offset(seconds), UTC).strftime("%H:%M")
