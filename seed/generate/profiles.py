"""The five profiles: timetables by kind of day, home and habits. To add a profile, add it here.

A timetable is a list of entries `HH:MM activity[@place] [chance%]`. An entry lasts until the next one; where an entry
does not occur by chance, the one before it continues; hours past 24 are of the following night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from seed.generate.calendar import is_holiday

HOME = ("bedroom", "kitchen", "living room", "bathroom")

# Where each activity happens unless a timetable says otherwise.
PLACES = {
    "sleep": "bedroom", "hygiene": "bathroom", "cooking": "kitchen", "meal": "kitchen", "rest": "living room",
    "leisure": "living room", "housework": "living room", "study": "living room", "childcare": "living room",
    "social": "friends", "work": "work", "transport": "transit", "exercise": "outdoors", "walk": "outdoors",
    "shopping": "shop",
}
ACTIVITIES = tuple(PLACES)


@dataclass(frozen=True)
class Entry:
    """An activity at a place from this minute of the local day on, with a probability in 0..1."""

    minute: int
    activity: str
    place: str
    chance: float


@dataclass(frozen=True)
class Profile:
    """One way of life: timetables by kind of day, home comfort in °C, commuting, and how notifications are treated.

    With a `rotation`, the kinds of day follow in that order, whatever the weekday; without, a day is `weekday`,
    `saturday` or `sunday` (holidays count as Sundays).
    """

    name: str
    timetables: Mapping[str, tuple[Entry, ...]]
    rotation: tuple[str, ...] = ()
    comfort: float = 20.5
    floor: int = 2
    rooms: tuple[str, ...] = ("phone", "kitchen", "bedroom", "living room", "bathroom")
    transport: str = "metro"
    reads: float = 0.8
    reads_after_minutes: float = 30.0
    archives: float = 0.3
    forgets_charging: float = 0.06

    def timetable(self, day: date) -> tuple[Entry, ...]:
        """The timetable of this calendar day."""
        if self.rotation:
            return self.timetables[self.rotation[day.toordinal() % len(self.rotation)]]
        if day.weekday() == 6 or is_holiday(day):
            return self.timetables["sunday"]
        return self.timetables["saturday" if day.weekday() == 5 else "weekday"]


def read_timetable(text: str) -> tuple[Entry, ...]:
    """Parse a timetable in the form that the module's documentation describes."""
    entries = []
    for part in text.replace("\n", ",").split(","):
        words = part.split()
        if not words:
            continue
        hour, minute = words[0].split(":")
        activity, _, place = words[1].partition("@")
        chance = float(words[2].rstrip("%")) / 100 if len(words) > 2 else 1.0
        entries.append(Entry(int(hour) * 60 + int(minute), activity, place.replace("_", " ") or PLACES[activity],
                             chance))
    return tuple(entries)


def _days(**texts: str) -> dict[str, tuple[Entry, ...]]:
    return {kind: read_timetable(text) for kind, text in texts.items()}


OFFICE_WORKER = Profile("office worker", _days(
    weekday="""06:50 hygiene, 07:15 cooking, 07:27 meal, 07:50 transport, 08:30 work, 10:30 rest@work 80%, 10:45 work,
        12:20 meal@work, 13:05 walk 60%, 13:25 work, 16:00 rest@work 60%, 16:15 work, 18:00 transport,
        18:40 exercise 35%, 19:25 cooking, 20:05 meal, 20:45 housework 55%, 21:10 leisure, 22:45 hygiene,
        23:00 sleep""",
    saturday="""08:40 hygiene, 09:05 cooking, 09:20 meal, 10:00 shopping 85%, 11:45 cooking, 12:30 meal, 13:20 rest,
        14:15 exercise 50%, 15:20 leisure, 17:30 housework, 19:00 cooking, 19:50 meal, 20:40 leisure,
        21:00 social 45%, 23:45 hygiene, 24:00 sleep""",
    sunday="""09:10 hygiene, 09:35 cooking, 09:50 meal, 10:30 leisure, 11:30 cooking, 12:40 meal, 13:40 walk 70%,
        15:00 rest, 16:30 leisure, 18:00 housework 70%, 19:10 cooking, 19:55 meal, 20:40 leisure, 22:35 hygiene,
        22:50 sleep""",
), transport="metro", reads=0.85, reads_after_minutes=25, archives=0.45)

NURSE = Profile("nurse on shifts", _days(
    early="""05:00 hygiene, 05:20 cooking, 05:30 meal, 05:50 transport, 06:30 work, 09:45 meal@work, 10:10 work,
        13:10 meal@work, 13:35 work, 14:20 transport, 15:00 rest, 16:00 shopping 35%, 16:50 leisure, 18:25 cooking,
        19:10 meal, 19:50 housework 45%, 20:20 leisure, 21:15 hygiene, 21:35 sleep""",
    late="""08:15 hygiene, 08:40 cooking, 08:52 meal, 09:20 housework 55%, 10:20 exercise 40%, 11:10 cooking,
        11:50 meal, 12:25 transport, 13:20 work, 16:40 rest@work, 17:00 work, 19:10 meal@work, 19:40 work,
        21:20 transport, 22:00 cooking 60%, 22:25 meal, 22:50 leisure, 23:50 hygiene, 24:10 sleep""",
    night="""09:00 hygiene, 09:25 cooking, 09:40 meal, 10:15 housework 60%, 11:00 leisure, 12:20 cooking, 13:00 meal,
        14:00 walk 50%, 15:00 sleep, 17:30 hygiene, 18:00 cooking, 18:45 meal, 19:20 leisure, 20:05 transport,
        20:50 work, 24:30 meal@work, 25:00 work, 27:30 rest@work, 27:50 work""",
    again="""06:50 transport, 07:30 cooking 60%, 07:45 meal, 08:05 hygiene, 08:25 sleep, 14:40 hygiene, 15:05 cooking,
        15:40 meal, 16:15 leisure, 18:00 housework 35%, 18:20 cooking 70%, 19:00 meal, 19:35 rest, 20:05 transport,
        20:50 work, 24:30 meal@work, 25:00 work, 27:30 rest@work, 27:50 work""",
    recovery="""06:50 transport, 07:30 meal, 07:55 hygiene, 08:15 sleep, 13:40 hygiene, 14:05 cooking, 14:45 meal,
        15:30 rest, 17:00 walk 60%, 18:00 leisure, 19:10 cooking, 19:50 meal, 20:30 leisure, 22:10 hygiene,
        22:30 sleep""",
    off="""08:10 hygiene, 08:40 cooking, 08:55 meal, 09:40 housework 75%, 10:40 shopping 60%, 11:50 cooking,
        12:35 meal, 13:20 rest, 14:30 exercise 55%, 15:40 leisure, 17:00 social 50%, 19:05 cooking, 19:50 meal,
        20:35 leisure, 22:20 hygiene, 22:40 sleep""",
), rotation=("early", "early", "late", "late", "night", "again", "recovery", "off", "off"), comfort=20.0, floor=4,
    transport="car", reads=0.7, reads_after_minutes=120, archives=0.25)

STUDENT = Profile("student", _days(
    weekday="""08:00 hygiene, 08:20 cooking 60%, 08:30 meal, 08:50 transport, 09:25 study@university,
        12:10 meal@university, 13:00 social@university 60%, 13:30 study@university, 16:40 transport, 17:15 rest,
        18:00 study, 19:30 exercise 30%, 20:10 cooking, 20:45 meal, 21:15 study 55%, 22:30 leisure, 24:20 hygiene,
        24:35 sleep""",
    saturday="""10:30 hygiene, 10:55 cooking, 11:10 meal, 11:45 housework 50%, 12:20 study, 13:50 cooking 60%,
        14:15 meal, 14:50 leisure, 16:30 shopping 60%, 17:40 exercise 40%, 18:40 leisure, 19:50 cooking, 20:25 meal,
        21:00 transport, 21:30 social, 25:20 transport, 25:50 hygiene, 26:00 sleep""",
    sunday="""11:00 hygiene, 11:30 cooking, 12:10 meal, 13:00 rest, 14:00 study, 16:00 walk 50%, 17:00 study,
        18:45 leisure, 19:50 cooking, 20:30 meal, 21:10 leisure, 23:40 hygiene, 24:00 sleep""",
), comfort=19.0, floor=6, transport="bus", reads=0.6, reads_after_minutes=8, archives=0.08, forgets_charging=0.16)

PARENT = Profile("parent at home", _days(
    weekday="""06:30 hygiene, 06:50 cooking, 07:10 meal, 07:35 childcare, 08:15 transport, 08:45 housework,
        10:00 childcare, 11:30 cooking, 12:15 meal, 13:00 childcare, 13:45 rest, 14:45 housework 60%,
        15:30 shopping 35%, 16:15 transport, 16:40 childcare, 18:15 cooking, 19:10 meal, 19:50 childcare,
        20:50 housework 60%, 21:15 leisure, 22:20 hygiene, 22:35 sleep""",
    saturday="""07:30 hygiene, 07:55 cooking, 08:15 meal, 09:00 childcare, 10:10 shopping 70%, 11:40 cooking,
        12:30 meal, 13:30 rest, 14:30 childcare, 16:00 walk 60%, 17:10 housework, 18:20 cooking, 19:15 meal,
        20:00 childcare, 21:00 leisure, 22:50 hygiene, 23:05 sleep""",
    sunday="""07:50 hygiene, 08:15 cooking, 08:35 meal, 09:20 childcare, 11:00 cooking, 12:20 meal, 13:30 rest,
        14:30 social 50%, 16:30 childcare, 18:20 cooking, 19:10 meal, 19:50 childcare, 20:50 leisure, 22:20 hygiene,
        22:35 sleep""",
), comfort=21.0, floor=1, rooms=("phone", "kitchen", "living room", "bedroom", "bathroom"), transport="car",
    reads=0.75, reads_after_minutes=60, archives=0.2)

RETIRED = Profile("retired", _days(
    weekday="""07:20 hygiene, 07:45 cooking, 08:00 meal, 08:45 leisure, 09:30 walk 70%, 10:30 shopping 45%,
        11:10 cooking, 12:10 meal, 13:00 sleep 60%, 13:50 leisure, 15:20 housework 65%, 16:30 social 35%, 17:30 leisure,
        18:30 cooking, 19:15 meal, 20:00 leisure, 22:10 hygiene, 22:30 sleep""",
    saturday="""07:35 hygiene, 08:00 cooking, 08:15 meal, 09:10 shopping 75%, 10:50 cooking, 12:00 meal, 13:00 rest,
        14:20 walk 60%, 15:40 leisure, 17:00 housework 40%, 18:20 cooking, 19:15 meal, 20:00 leisure, 22:20 hygiene,
        22:40 sleep""",
    sunday="""07:45 hygiene, 08:10 cooking, 08:25 meal, 09:30 social 60%, 11:00 cooking, 12:20 meal, 13:40 rest,
        15:00 walk 65%, 16:10 leisure, 18:30 cooking, 19:15 meal, 20:00 leisure, 22:10 hygiene, 22:30 sleep""",
), comfort=21.5, floor=0, rooms=("phone", "kitchen", "living room", "bathroom", "bedroom"), transport="tram",
    reads=0.92, reads_after_minutes=180, archives=0.1, forgets_charging=0.1)

PROFILES = (OFFICE_WORKER, NURSE, STUDENT, PARENT, RETIRED)
