"""The data set as one picture: a week of one home, its devices' reports, the days hour by hour, the pressure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from seed.errors import SeedError
from seed.generate.activities import Timeline, classification_parts, timeline
from seed.generate.alerts.notifications import choose_causes, make_notifications
from seed.generate.alerts.threshold_crossings import Watch, look_at_activities, look_at_readings
from seed.generate.alerts.thresholds import THRESHOLDS
from seed.generate.calendar import utc_offset
from seed.generate.devices import Device, fleet
from seed.generate.people import Person, people
from seed.generate.profiles import ACTIVITIES, PROFILES
from seed.generate.readings.measurements import make_slice, slices
from seed.generate.rows import Array, Ints, Rows
from seed.spec import DAY, Spec

_COLOURS = {
    "sleep": "#1d2b53", "hygiene": "#5fc9e8", "cooking": "#e4572e", "meal": "#f3a712", "rest": "#c7ceea",
    "leisure": "#9b7ede", "housework": "#8d6e63", "study": "#2a9d8f", "childcare": "#ff99c8", "social": "#d81e5b",
    "work": "#6c757d", "transport": "#111111", "exercise": "#57a639", "walk": "#a7c957", "shopping": "#ffe066",
}
_WEEK = ("temperature", "humidity", "air_quality")
_LABELS = {"temperature": "°C", "humidity": "% RH", "air_quality": "air quality index"}


def people_to_draw(spec: Spec) -> tuple[Person, ...]:
    """One person of each profile, as the picture shows them."""
    return people(spec)[:len(PROFILES)]


def draw(spec: Spec, path: Path, *, user: int | None = None) -> None:
    """Write the picture of this data set to `path` as PNG; `user` is the id of the person whose home is shown."""
    shown = people_to_draw(spec)
    devices = fleet(spec)[:len(shown) * spec.devices_per_user]
    columns, notes = _observe(spec, len(shown), devices)
    lives = {person.id: timeline(spec, person, spec.start, spec.end) for person in shown}
    user = user or shown[0].id

    figure = Figure(figsize=(15, 16), layout="constrained")
    grid = figure.add_gridspec(6, len(shown), height_ratios=(3, 2.4, 2.4, 0.8, 3.2, 1.6))
    home = [device for device in devices if device.owner.id == user]
    for row, measure in enumerate(_WEEK):
        axes = figure.add_subplot(grid[row, :])
        _draw_week(axes, spec, home, columns, measure)
        _draw_bands(axes, lives[user], spec)
        _draw_notes(axes, spec, notes, user, measure)
    figure.axes[0].set_title(f"Last week of {home[0].owner.name} ({home[0].owner.profile.name}); times in UTC")
    _draw_reports(figure.add_subplot(grid[3, :]), spec, home, columns)
    for position, person in enumerate(shown):
        _draw_days(figure.add_subplot(grid[4, position]), lives[person.id], spec, person.profile.name)
    _draw_pressure(figure.add_subplot(grid[5, :]), devices, columns)
    figure.legend(handles=[Patch(color=colour, label=name) for name, colour in _COLOURS.items()], ncols=8,
                  loc="outside lower center", frameon=False)
    figure.savefig(path, dpi=80)


def _observe(spec: Spec, persons: int, devices: Sequence[Device]) -> tuple[dict[str, Array], Rows]:
    """The readings of these devices, and what the people they belong to were told."""
    # What all are told is not what these are told.
    watch = Watch(spec if persons == spec.users else replace(spec, notifications=None))
    parts = []
    for part in slices(spec):
        if part.first < persons:
            rows = _of(make_slice(spec, part), "device_id", devices[-1].id)
            parts.append(rows)
            watch.add(look_at_readings(spec, rows))
    if not parts:
        raise SeedError("seed readings: none are asked for, so there is nothing to draw; ask for some")
    for windows in classification_parts(spec):
        if windows.columns["user_id"].min() > devices[-1].owner.id:
            break
        watch.add(look_at_activities(spec, _of(windows, "user_id", devices[-1].owner.id)))
    due = choose_causes(watch)
    return ({name: np.concatenate([rows.columns[name] for rows in parts]) for name in parts[0].columns},
            make_notifications(spec, due, 0, len(due[0])))


def _of(rows: Rows, column: str, last: int) -> Rows:
    """The rows whose column is not beyond this id."""
    selected = rows.columns[column] <= last
    return Rows(rows.table, {name: values[selected] for name, values in rows.columns.items()})


def _times(seconds: Ints) -> Array:
    return seconds.astype("datetime64[s]")


def _draw_week(axes: Axes, spec: Spec, home: Sequence[Device], columns: Mapping[str, Array], measure: str) -> None:
    since = np.datetime64(spec.end - 7 * DAY, "s")
    for device in home:
        selected = (columns["device_id"] == device.id) & (columns["measured_at"] >= since)
        axes.plot(columns["measured_at"][selected], columns[measure][selected], linewidth=1.1, label=device.room)
    axes.margins(x=0)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.18 * (high - low))  # no line runs through the legend
    axes.set_ylabel(_LABELS[measure])
    axes.xaxis.set_major_formatter(DateFormatter("%a %d"))  # type: ignore[no-untyped-call]
    axes.legend(loc="upper left", ncols=len(home), frameon=False)


def _draw_reports(axes: Axes, spec: Spec, home: Sequence[Device], columns: Mapping[str, Array]) -> None:
    """A stroke for each report of the last day, a line for each device: steady, in bursts, or as people come and go."""
    since = np.datetime64(spec.end - DAY, "s")
    last = columns["measured_at"] >= since
    for line, device in enumerate(home):
        times = columns["measured_at"][(columns["device_id"] == device.id) & last]
        axes.plot(times, np.full(len(times), line), "|", markersize=10, markeredgewidth=0.7)
    axes.set_yticks(range(len(home)), [device.room for device in home])
    axes.set_ylim(len(home) - 0.5, -0.5)
    axes.set_xlim(since, np.datetime64(spec.end, "s"))  # type: ignore[arg-type]
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M"))  # type: ignore[no-untyped-call]
    axes.set_title("When its devices report: the last day", fontsize=10)


def _draw_bands(axes: Axes, life: Timeline, spec: Spec) -> None:
    """A strip of what the person does along the bottom, the cooking through the whole height."""
    week = life.within(spec.end - 7 * DAY, spec.end)
    for start, end, code in zip(_times(week.starts), _times(week.ends), week.activities, strict=True):
        name = ACTIVITIES[code]
        axes.axvspan(start, end, ymax=0.06, color=_COLOURS[name], linewidth=0)
        if name == "cooking":
            axes.axvspan(start, end, color=_COLOURS[name], alpha=0.13, linewidth=0)


def _draw_notes(axes: Axes, spec: Spec, notes: Rows, user: int, measure: str) -> None:
    of_measure = [threshold for threshold in THRESHOLDS if threshold.measure == measure]
    sent = notes.columns["sent_at"]
    for threshold in of_measure:
        selected = (notes.columns["user_id"] == user) & (notes.columns["type"] == threshold.type) \
            & (sent >= np.datetime64(spec.end - 7 * DAY, "s"))
        low, high = axes.get_ylim()
        if selected.any():
            axes.plot(sent[selected], np.full(selected.sum(), threshold.limit), "v", color="crimson", markersize=7)
        if low < threshold.limit < high:
            axes.axhline(threshold.limit, color="crimson", linewidth=0.6, linestyle=":")


def _draw_days(axes: Axes, life: Timeline, spec: Spec, title: str) -> None:
    """Which activity each quarter of an hour of each local day had, one line for a day."""
    first = (spec.start + utc_offset(spec.start)) // DAY
    picture = np.full((spec.days + 1, 96), np.nan)
    times = np.arange(spec.start, spec.end, 900)
    local = times + np.array([utc_offset(int(time)) for time in times])
    picture[local // DAY - first, local % DAY // 900] = life.activities[life.at(times)]
    axes.imshow(picture, aspect="auto", interpolation="nearest", extent=(0, 24, spec.days + 1, 0), vmin=-0.5,
                vmax=len(ACTIVITIES) - 0.5, cmap=ListedColormap([_COLOURS[name] for name in ACTIVITIES]))
    axes.set_title(title, fontsize=10)
    axes.set_xticks(range(0, 25, 6))
    axes.set_xlabel("local hour")


def _draw_pressure(axes: Axes, devices: Sequence[Device], columns: Mapping[str, Array]) -> None:
    for device in devices:
        selected = columns["device_id"] == device.id
        axes.plot(columns["measured_at"][selected], columns["pressure"][selected], linewidth=0.5)
    axes.set_ylabel("hPa")
    axes.set_title(f"Pressure at all {len(devices)} devices", fontsize=10)
    axes.margins(x=0)
