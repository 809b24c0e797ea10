"""The rows of `notifications`: documented thresholds that readings and activities crossed.

Each notification has one cause: a reading that crossed a limit (the device's reading before had not), a silence, or an
activity window. It is sent within three minutes of its cause, and never within the threshold's cool-down after another
of the same type to the same user. To find a cause by query: the user's rows in the minutes before `sent_at`, with the
device (MAC address) or the activity and its times from the message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from seed.errors import SeedError
from seed.generate.alerts.threshold_crossings import Watch, look_at_activities, look_at_readings
from seed.generate.alerts.thresholds import THRESHOLDS
from seed.generate.calendar import utc_offset
from seed.generate.devices import fleet
from seed.generate.people import people
from seed.generate.profiles import ACTIVITIES
from seed.generate.rows import Array, Floats, Ints, Rows, instants, normal, texts, uniform
from seed.spec import Spec, key

__all__ = ["THRESHOLDS", "alerts", "choose_causes", "make_notifications"]

# Seconds from a cause to its notification, at least and at most.
_DELAY = (4, 170)
PART_ROWS = 50_000


def alerts(spec: Spec, parts: Iterable[Rows], activities: Rows) -> Rows:
    """The rows of `notifications` that these readings and activities cause, in order of time.

    Raises SeedError where more were requested than there are causes.
    """
    watch = Watch(spec)
    for rows in parts:
        watch.add(look_at_readings(spec, rows))
    watch.add(look_at_activities(spec, activities))
    due = choose_causes(watch)
    return make_notifications(spec, due, 0, len(due[0]))


def choose_causes(watch: Watch) -> tuple[Ints, Array]:
    """The send times (seconds since 1970) and causes of the notifications, in order of time: as many as requested.

    Each type gets a fair share. Raises SeedError where more were requested than there are causes.
    """
    spec = watch.spec
    sent, causes = _due(spec, watch.causes())
    if len(sent) < (spec.notifications or 0):
        raise SeedError(f"seed notifications: {spec.notifications} asked for, but these readings and activities cross "
                        f"the thresholds only {len(sent)} times; ask for at most {len(sent)}, or for more days")
    # Rare types whole, frequent ones thinned out evenly: each type's causes take turns in an order of chance.
    shuffled = np.argsort(uniform(key(spec, "chosen"), np.arange(len(sent))), kind="stable")
    types = causes["threshold"][shuffled]
    by_type = np.argsort(types, kind="stable")
    begins = np.searchsorted(types[by_type], np.arange(len(THRESHOLDS) + 1))
    turn = np.empty(len(sent), dtype=np.int64)
    turn[by_type] = np.arange(len(sent)) - begins[types[by_type]]
    kept = shuffled[np.lexsort((shuffled, types, turn))][:spec.most_notifications]
    kept = kept[np.lexsort((causes["threshold"][kept], causes["user"][kept], sent[kept]))]
    return sent[kept], causes[kept]


def _due(spec: Spec, causes: Array) -> tuple[Ints, Array]:
    """What is sent, and when: seconds to three minutes after the cause, outside the cool-down, by now."""
    causes = causes[np.lexsort((causes["device"], causes["user"], causes["threshold"], causes["at"]))]
    least, most = _DELAY
    drawn = uniform(key(spec, "delays"), causes["at"] * 1024 + causes["user"] * 16 + causes["threshold"])
    sent = causes["at"] + least + (drawn * (most - least)).astype(np.int64)
    keep = sent <= spec.end
    causes, sent = causes[keep], sent[keep]
    order = np.lexsort((sent, causes["user"], causes["threshold"]))
    causes, sent = causes[order], sent[order]
    kind = causes["threshold"].astype(np.int64) << 48 | causes["user"]
    bounds = np.append(np.flatnonzero(np.diff(kind, prepend=-1)), len(kind))
    due: list[int] = []
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        wait = THRESHOLDS[causes["threshold"][begin]].cooldown_minutes * 60
        at = begin
        while at < end:
            due.append(at)
            at += int(np.searchsorted(sent[at:end], sent[at] + wait))
    kept = np.array(due, dtype=np.int64)
    kept = kept[np.lexsort((causes["user"][kept], causes["threshold"][kept], sent[kept]))]
    return sent[kept], causes[kept]


def parts(spec: Spec, due: tuple[Ints, Array]) -> Iterator[Rows]:
    """The rows of `notifications` in parts of PART_ROWS."""
    return (make_notifications(spec, due, begin, begin + PART_ROWS) for begin in range(0, len(due[0]), PART_ROWS))


def make_notifications(spec: Spec, due: tuple[Ints, Array], begin: int, end: int) -> Rows:
    """The rows of `notifications` number `begin` to `end` - 1, counted from 0, of the chosen causes."""
    sent, causes = due[0][begin:end], due[1][begin:end]
    status, read = _answers(spec, sent, causes, np.arange(begin, begin + len(sent)))
    kinds = causes["threshold"].tolist()
    return Rows("notifications", {
        "id": np.arange(begin + 1, begin + len(sent) + 1),
        "user_id": causes["user"].astype(np.int64),
        "title": texts([THRESHOLDS[kind].title for kind in kinds]),
        "message": texts([_message(spec, cause) for cause in causes]),
        "type": texts([THRESHOLDS[kind].type for kind in kinds]),
        "status": texts(status),
        "sent_at": instants(sent),
        "read_at": read,
        "created_at": instants(sent),
    })


@lru_cache(maxsize=4)
def _manners(spec: Spec) -> Floats:
    """How each person treats notifications, by id: share read, minutes until then, share archived."""
    return np.array([(person.profile.reads, person.profile.reads_after_minutes, person.profile.archives)
                     for person in people(spec)])


def _answers(spec: Spec, sent: Ints, causes: Array, counters: Ints) -> tuple[list[str], Array]:
    """Status and time of reading, as each profile treats its notifications; nobody reads at night."""
    reads, minutes, archives = _manners(spec)[causes["user"] - spec.first_user].T
    chance, keeps = (uniform(key(spec, "answers", name), counters) for name in ("chance", "keeps"))
    patience = np.exp(0.9 * normal(key(spec, "answers", "patience"), counters))
    opened = sent + 5 + (minutes * 60 * patience).astype(np.int64)
    offset = np.array([utc_offset(second) for second in opened.tolist()], dtype=np.int64)
    hour = (opened + offset) / 3600 % 24
    opened = opened + np.where(hour < 6.5, (6.5 - hour) * 3600 + 1800 * patience, 0).astype(np.int64)
    unread = (chance >= reads) | (opened > spec.end)
    read = instants(opened)
    read[unread] = np.datetime64("NaT", "s")
    status = np.where(unread, "unread", np.where(keeps < archives, "archived", "read"))
    return [str(word) for word in status], read


def _message(spec: Spec, cause: np.void) -> str:
    threshold = THRESHOLDS[cause["threshold"]]
    side = "below" if threshold.below else "above"
    if threshold.measure == "silence":
        side = "at"
    if cause["device"]:
        subject = fleet(spec)[int(cause["device"]) - spec.first_device].label
    else:
        begin, end = _clock(int(cause["since"])), _clock(int(cause["at"]))
        subject = f"{ACTIVITIES[cause['activity']].capitalize()} from {begin} to {end}"
    return (f"{subject}: {threshold.words} {cause['value']:g}{threshold.unit}, {side} the limit of "
            f"{cause['limit']:g}{threshold.unit}.")


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds + utc_offset(seconds), UTC).strftime("%H:%M")
