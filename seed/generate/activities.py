"""What each person does when, and the rows of `activity_classifications` that a classifier would derive from it.

The timeline is the truth that the climate follows. In the rows, long activities are several windows, a few windows are
missing, and confidence is lower for short and rare activities.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

import numpy as np

from seed.generate.activity_signals import BASE_CONFIDENCE, metadata
from seed.generate.calendar import instants as wall_instants
from seed.generate.calendar import local_date
from seed.generate.people import Person, people
from seed.generate.profiles import ACTIVITIES, PLACES, PROFILES, Entry, Profile
from seed.generate.rows import Bools, Floats, Ints, Rows, instants, normal, texts, uniform
from seed.spec import Spec, key, shares, stream

PLACE_NAMES = tuple(sorted({*PLACES.values(), *(entry.place for profile in PROFILES
                                                for entries in profile.timetables.values() for entry in entries)}))
# An activity that chance would start before the one before it has lasted this long waits until then.
_SHORTEST = 300
# More seconds than a data set has, to keep one person's from running into the next one's.
_APART = 10**11
# Rows in one group of people, about.
_GROUP_ROWS = 100_000
# Share of windows that no classification came for.
_UNCLASSIFIED = 0.015


@dataclass(frozen=True)
class Timeline:
    """The consecutive activities of one person: activity i lasts from starts[i] to ends[i], in seconds since 1970.

    `activities` index ACTIVITIES, `places` index PLACE_NAMES, `strengths` are intensities around 1.
    """

    starts: Ints
    ends: Ints
    activities: Ints
    places: Ints
    strengths: Floats

    def at(self, times: Ints) -> Ints:
        """The index of the activity at each time."""
        return np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, len(self.starts) - 1)

    def within(self, begin: int, end: int) -> Timeline:
        """The part of this timeline between two times."""
        part = self.take(np.flatnonzero((self.ends > begin) & (self.starts < end)))
        return replace(part, starts=np.maximum(part.starts, begin), ends=np.minimum(part.ends, end))

    def take(self, entries: Ints) -> Timeline:
        """The activities with these indices, in this order."""
        return Timeline(self.starts[entries], self.ends[entries], self.activities[entries], self.places[entries],
                        self.strengths[entries])


@dataclass(frozen=True)
class Lives:
    """The timelines of several people, one after the other; person i has entries first[i] .. first[i + 1] - 1."""

    first: Ints
    starts: Ints
    ends: Ints
    activities: Ints
    places: Ints
    strengths: Floats

    def of(self, position: int) -> Timeline:
        """The timeline of the person at this position."""
        entries = slice(self.first[position], self.first[position + 1])
        return Timeline(self.starts[entries], self.ends[entries], self.activities[entries], self.places[entries],
                        self.strengths[entries])

    def at(self, times: Ints) -> Ints:
        """The index of the entry at each time (rows) for each person (columns)."""
        entries = np.empty((len(times), len(self.first) - 1), dtype=np.int64)
        for position, (begin, end) in enumerate(pairwise(self.first.tolist())):
            entries[:, position] = begin + np.searchsorted(self.starts[begin:end], times, side="right") - 1
            np.clip(entries[:, position], begin, end - 1, out=entries[:, position])
        return entries


def timeline(spec: Spec, person: Person, begin: int, end: int) -> Timeline:
    """The activities of one person from `begin` to `end`; the same for a time whatever the period asked for."""
    return lives(spec, [person], begin, end).of(0)


def lives(spec: Spec, persons: Sequence[Person], begin: int, end: int) -> Lives:
    """The activities of these people from `begin` to `end`."""
    first_day, last_day = local_date(begin) - timedelta(days=2), local_date(end)
    days = [first_day + timedelta(days=more) for more in range((last_day - first_day).days + 1)]
    parts = []
    for profile in PROFILES:
        members = np.array([at for at, person in enumerate(persons) if person.profile is profile], dtype=np.int64)
        if len(members):
            ids = np.array([persons[at].id for at in members.tolist()], dtype=np.int64)
            parts.append(_profile_entries(spec, profile, members, ids, days))
    owner, starts, activities, places, strengths = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(owner, kind="stable")
    owner, starts, activities = owner[order], starts[order], activities[order]
    ends = np.append(np.where(owner[1:] == owner[:-1], starts[1:], np.maximum(end, starts[:-1]) + 1),
                     max(end, int(starts[-1])) + 1)
    keep = (ends > begin) & (starts < end)
    return Lives(np.searchsorted(owner[keep], np.arange(len(persons) + 1)), np.maximum(starts[keep], begin),
                 np.minimum(ends[keep], end), activities[keep], places[order][keep], strengths[order][keep])


def _profile_entries(spec: Spec, profile: Profile, members: Ints, ids: Ints,
                     days: Sequence[date]) -> tuple[Ints, Ints, Ints, Ints, Floats]:
    """Owner, start, activity, place and strength of all that people of one profile do on these days, one by one."""
    tables = [(day, profile.timetable(day)) for day in days]
    drawn = [_day(spec, ids.tobytes(), day, entries) for day, entries in tables]
    starts, chosen, strengths = (np.concatenate(column, axis=1) for column in zip(*drawn, strict=True))
    activities, places = (np.array([codes.index(getattr(entry, name)) for _, entries in tables for entry in entries])
                          for codes, name in ((ACTIVITIES, "activity"), (PLACE_NAMES, "place")))
    row, column = np.nonzero(chosen)
    # One that goes on where the one before it left off is no new one.
    same = np.append(False, (row[1:] == row[:-1]) & (activities[column[1:]] == activities[column[:-1]])
                     & (places[column[1:]] == places[column[:-1]]))
    row, column = row[~same], column[~same]
    # Each begins _SHORTEST after the one before it at the earliest: a running maximum, person by person.
    rank = np.arange(len(row)) * _SHORTEST - row * _APART
    begins = np.maximum.accumulate(starts[row, column] - rank) + rank
    return members[row], begins, activities[column], places[column], strengths[row, column]


# The days before a slice are asked for again with the next slice.
@lru_cache(maxsize=1024)
def _day(spec: Spec, packed_ids: bytes, day: date, entries: tuple[Entry, ...]) -> tuple[Ints, Bools, Floats]:
    """For each person (rows) and entry of the day (columns): its start, whether it takes place, how intense it is."""
    ids = np.frombuffer(packed_ids, dtype=np.int64)
    counters = ids[:, None] * 64 + np.arange(len(entries))
    root = key(spec, "day", day.toordinal())
    late = 9 * normal(root, ids * 64 + 63)[:, None] + 5 * normal(root + 1, counters)
    minutes = np.array([entry.minute for entry in entries]) + np.rint(late).astype(np.int64)
    seconds = (uniform(root + 2, counters) * 60).astype(np.int64)
    chosen = uniform(root + 3, counters) < np.array([entry.chance for entry in entries])
    strengths = np.clip(np.exp(0.35 * normal(root + 4, counters)), 0.5, 1.6)
    return wall_instants(day, np.maximum(0, minutes)) + seconds, chosen, strengths


def classifications(spec: Spec) -> Rows:
    """The rows of `activity_classifications`: exactly `spec.total_activities`, without overlap per user.

    They are in order of time; where there are many, people come in groups, one after the other, each in order of time.
    """
    parts = list(classification_parts(spec)) or [make_group(spec, 0)]
    return Rows(parts[0].table, {name: np.concatenate([part.columns[name] for part in parts])
                                 for name in parts[0].columns})


def classification_parts(spec: Spec) -> Iterator[Rows]:
    """The rows of `activity_classifications` in groups of people, as `make_group` makes them."""
    return (make_group(spec, group) for group in range(count_groups(spec)))


def count_groups(spec: Spec) -> int:
    """The number of groups of people that the activities are generated in, so that each fits in memory."""
    return -(-spec.users // _group_users(spec)) if spec.total_activities else 0


def _group_users(spec: Spec) -> int:
    return max(1, _GROUP_ROWS * spec.users // max(1, spec.total_activities))


def make_group(spec: Spec, group: int) -> Rows:
    """The rows of one group of people, in order of time; ids continue those of the groups before."""
    size = _group_users(spec)
    persons = people(spec)[group * size:(group + 1) * size]
    counts = shares(spec.total_activities, spec.users)
    before = sum(counts[:group * size])
    counts = counts[group * size:(group + 1) * size]
    lived = lives(spec, persons, spec.start, spec.end)
    parts = [_windows(spec, person, lived.of(position), counts[position]) for position, person in enumerate(persons)]
    owners = np.repeat(np.arange(len(persons)), counts)
    windows = _concatenate(parts)
    order = np.lexsort((owners, windows.starts))
    owners, windows = owners[order], windows.take(order)
    names = [ACTIVITIES[code] for code in windows.activities.tolist()]
    return Rows("activity_classifications", {
        "id": np.arange(before + 1, before + len(names) + 1),
        "user_id": np.array([person.id for person in persons], dtype=np.int64)[owners],
        "started_at": instants(windows.starts),
        "ended_at": instants(windows.ends),
        "activity_type": texts(names),
        "confidence_score": _confidence(spec, group, windows),
        "metadata": texts(metadata(stream(spec, "activity metadata", group), names,
                                   [PLACE_NAMES[code] for code in windows.places.tolist()],
                                   starts=windows.starts, ends=windows.ends, strengths=windows.strengths,
                                   transports=[persons[owner].profile.transport for owner in owners.tolist()])),
    })


def _concatenate(parts: Sequence[Timeline]) -> Timeline:
    return Timeline(*(np.concatenate([getattr(part, name) for part in parts])
                      for name in ("starts", "ends", "activities", "places", "strengths")))


def _windows(spec: Spec, person: Person, life: Timeline, count: int) -> Timeline:
    """The person's timeline in exactly `count` windows: the longest activities are told in several."""
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


def _confidence(spec: Spec, group: int, windows: Timeline) -> Floats:
    """Confidence by kind of activity, lower for short windows and for kinds that are rare among these people."""
    base = np.array([BASE_CONFIDENCE[name] for name in ACTIVITIES])[windows.activities]
    share = np.bincount(windows.activities, minlength=len(ACTIVITIES)) / max(1, len(windows.activities))
    rare = 0.12 * np.exp(-share[windows.activities] / 0.02)
    short = 0.22 * np.exp(-(windows.ends - windows.starts) / 60 / 8)
    noise = stream(spec, "confidence", group).normal(0, 0.045, len(base))
    return np.asarray(np.round(np.clip(base - rare - short + noise, 0.35, 0.99), 2), dtype=np.float64)
