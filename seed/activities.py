"""Activities: what each person does when, and the factory of `activity_classifications` that tells it.

The timeline is the truth that the climate follows; the rows are a classifier's view of it: long activities come in
several rows, a few windows are missing, and confidence falls for what is short or rare.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from seed.activity_signals import BASE_CONFIDENCE, metadata
from seed.days import instant, local_date
from seed.people import Person, people
from seed.profiles import ACTIVITIES, PLACES, PROFILES, Entry
from seed.rows import Floats, Ints, Rows, instants, texts
from seed.spec import Spec, shares, stream

PLACE_NAMES = tuple(sorted({*PLACES.values(), *(entry.place for profile in PROFILES
                                                for entries in profile.timetables.values() for entry in entries)}))
# An activity that chance would start before the one before it has lasted this long waits until then.
_SHORTEST = 300
# Share of windows that no classification came for.
_UNCLASSIFIED = 0.015


@dataclass(frozen=True)
class Timeline:
    """What one person does, back to back: activity i lasts from starts[i] to ends[i] (seconds since 1970).

    `activities` index ACTIVITIES, `places` index PLACE_NAMES, `strengths` say how intense each one is (about 1).
    """

    starts: Ints
    ends: Ints
    activities: Ints
    places: Ints
    strengths: Floats

    def at(self, times: Ints) -> Ints:
        """Which activity covers each time."""
        return np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, len(self.starts) - 1)

    def within(self, begin: int, end: int) -> Timeline:
        """The part of this timeline between two instants."""
        keep = (self.ends > begin) & (self.starts < end)
        return Timeline(np.maximum(self.starts[keep], begin), np.minimum(self.ends[keep], end), self.activities[keep],
                        self.places[keep], self.strengths[keep])


def timeline(spec: Spec, person: Person, begin: int, end: int) -> Timeline:
    """The life of one person from `begin` to `end`; a day is the same whichever period asks for it."""
    day, last = local_date(begin) - timedelta(days=2), local_date(end)
    starts: list[int] = []
    entries: list[Entry] = []
    strengths: list[float] = []
    while day <= last:
        for start, entry, strength in _day(spec, person, day):
            if entries and (entries[-1].activity, entries[-1].place) == (entry.activity, entry.place):
                continue
            starts.append(max(start, starts[-1] + _SHORTEST) if starts else start)
            entries.append(entry)
            strengths.append(strength)
        day += timedelta(days=1)
    bounds = np.array([*starts, max(end, starts[-1]) + 1], dtype=np.int64)
    whole = Timeline(bounds[:-1], bounds[1:], np.array([ACTIVITIES.index(entry.activity) for entry in entries]),
                     np.array([PLACE_NAMES.index(entry.place) for entry in entries]), np.array(strengths))
    return whole.within(begin, end)


def _day(spec: Spec, person: Person, day: date) -> list[tuple[int, Entry, float]]:
    """One calendar day's activities: (start, entry, strength), in order."""
    draws = stream(spec, "day", person.id, day.toordinal())
    entries = person.profile.timetable(day)
    late = draws.normal(0, 9)
    jitter = draws.normal(0, 5, len(entries))
    chosen = draws.random(len(entries))
    strengths = np.clip(np.exp(draws.normal(0, 0.35, len(entries))), 0.5, 1.6)
    seconds = draws.integers(0, 60, len(entries))
    made = []
    for index, entry in enumerate(entries):
        if chosen[index] < entry.chance:
            minute = max(0, entry.minute + round(late + jitter[index]))
            made.append((instant(day, minute) + int(seconds[index]), entry, float(strengths[index])))
    return made


def classifications(spec: Spec) -> Rows:
    """The rows of `activity_classifications`, in order of time: exactly `spec.activities`, no overlap per user."""
    owners, parts = [], []
    persons = people(spec)
    for person, count in zip(persons, shares(spec.activities, spec.users), strict=True):
        parts.append(_windows(spec, person, count))
        owners.append(np.full(count, person.id, dtype=np.int64))
    user_ids = np.concatenate(owners)
    windows = _joined(parts)
    order = np.lexsort((user_ids, windows.starts))
    user_ids = user_ids[order]
    windows = Timeline(windows.starts[order], windows.ends[order], windows.activities[order], windows.places[order],
                       windows.strengths[order])
    names = [ACTIVITIES[code] for code in windows.activities]
    return Rows("activity_classifications", {
        "id": np.arange(1, len(names) + 1),
        "user_id": user_ids,
        "started_at": instants(windows.starts),
        "ended_at": instants(windows.ends),
        "activity_type": texts(names),
        "confidence_score": _confidence(spec, windows),
        "metadata": texts(metadata(stream(spec, "activity metadata"), names,
                                   [PLACE_NAMES[code] for code in windows.places],
                                   starts=windows.starts, ends=windows.ends, strengths=windows.strengths,
                                   transports=[persons[owner - 1].profile.transport for owner in user_ids])),
    })


def _joined(parts: Sequence[Timeline]) -> Timeline:
    return Timeline(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in ("starts", "ends", "activities", "places", "strengths")))


def _windows(spec: Spec, person: Person, count: int) -> Timeline:
    """The person's timeline in exactly `count` windows: the longest activities are told in several."""
    life = timeline(spec, person, spec.start, spec.end)
    draws = stream(spec, "windows", person.id)
    pieces = _pieces(life.ends - life.starts, count + round(count * _UNCLASSIFIED))
    block = np.repeat(np.arange(len(pieces)), pieces)
    position = np.arange(len(block)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    moved = np.where(position > 0, position + 0.3 * (draws.random(len(block)) - 0.5), 0)
    starts = life.starts[block] + np.floor(moved / pieces[block] * (life.ends - life.starts)[block]).astype(np.int64)
    ends = np.where(position + 1 < pieces[block], np.append(starts[1:], 0), life.ends[block])
    kept = np.sort(draws.permutation(len(block))[:count])
    return Timeline(starts[kept], ends[kept], life.activities[block][kept], life.places[block][kept],
                    life.strengths[block][kept])


def _pieces(lengths: Ints, wanted: int) -> Ints:
    """Into how many windows each activity is told, so that there are at least `wanted` and the longest is short."""
    pieces = np.ones(len(lengths), dtype=np.int64)
    heap = [(-int(length), index) for index, length in enumerate(lengths)]
    heapq.heapify(heap)
    for _ in range(wanted - len(lengths)):
        index = heap[0][1]
        pieces[index] += 1
        heapq.heapreplace(heap, (-int(lengths[index] // pieces[index]), index))
    return pieces


def _confidence(spec: Spec, windows: Timeline) -> Floats:
    """Confidence by kind of activity, lower for short windows and for kinds that are rare in this data set."""
    base = np.array([BASE_CONFIDENCE[name] for name in ACTIVITIES])[windows.activities]
    share = np.bincount(windows.activities, minlength=len(ACTIVITIES)) / max(1, len(windows.activities))
    rare = 0.12 * np.exp(-share[windows.activities] / 0.02)
    short = 0.22 * np.exp(-(windows.ends - windows.starts) / 60 / 8)
    noise = stream(spec, "confidence").normal(0, 0.045, len(base))
    return np.asarray(np.round(np.clip(base - rare - short + noise, 0.35, 0.99), 2), dtype=np.float64)
