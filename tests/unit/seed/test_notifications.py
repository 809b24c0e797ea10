"""The notifications in the data: each has its cause among the readings and activities, and comes after it."""

import json
import re
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seed import THRESHOLDS, fleet, people
from tests.support.seed_data import SPRING, SUMMER, WINTER, joined, notes, spec, windows

SEASONS = [WINTER, SPRING, SUMMER]
BY_TYPE = {threshold.type: threshold for threshold in THRESHOLDS}
NUMBERS = re.compile(r" (-?[\d.]+)\D*?, (?:above|below|at) the limit of (-?[\d.]+)")


def rows(until=WINTER):
    columns = notes(until).columns
    return [{name: values[index] for name, values in columns.items()} for index in range(len(notes(until)))]


def at(moment):
    return int(moment.astype(np.int64))


def reading_causes(note, until):
    """The readings that the message may speak of: same device, three minutes before, with that value."""
    mac = re.search(r"\(([0-9A-F:]{17})\)", note["message"]).group(1)
    device = next(device for device in fleet(spec(until)) if device.mac == mac)
    assert device.owner.id == note["user_id"]
    columns, threshold = joined(until), BY_TYPE[note["type"]]
    sent = at(note["sent_at"])
    value, limit = map(float, NUMBERS.search(note["message"]).groups())
    of_device = columns["device_id"] == device.id
    if threshold.measure == "silence":
        last = columns["measured_at"][of_device & (columns["measured_at"] <= sent)].max()
        return [last] if sent - last >= limit * 60 else []
    assert limit == threshold.limit
    assert threshold.is_crossed_by(value)
    near = of_device & (columns["measured_at"] < sent) & (columns["measured_at"] >= sent - 180)
    return list(columns["measured_at"][near & (np.abs(columns[threshold.measure] - value) < 0.006)])


def activity_causes(note, until):
    """The windows that the message may speak of: the same user's, ended in the three minutes before, that value."""
    columns, threshold = windows(until).columns, BY_TYPE[note["type"]]
    kind, started, ended = re.match(r"([A-Z][a-z]+) from (\d\d:\d\d) to (\d\d:\d\d): ", note["message"]).groups()
    value, limit = map(float, NUMBERS.search(note["message"]).groups())
    assert limit == threshold.limit
    causes = []
    for index in np.flatnonzero((columns["user_id"] == note["user_id"]) & (columns["activity_type"] == kind.lower())):
        start, end = at(columns["started_at"][index]), at(columns["ended_at"][index])
        measured = (end - start) // 60 if threshold.measure == "minutes" else \
            json.loads(columns["metadata"][index])[threshold.measure]
        clock = [datetime.fromtimestamp(second, ZoneInfo("Europe/Paris")).strftime("%H:%M") for second in (start, end)]
        if 0 < at(note["sent_at"]) - end <= 180 and measured == value and clock == [started, ended]:
            causes.append(end)
    return causes


@pytest.mark.parametrize("until", SEASONS)
def test_each_notification_has_exactly_one_cause_minutes_before_it(until):
    for note in rows(until):
        threshold = BY_TYPE[note["type"]]
        causes = activity_causes(note, until) if threshold.activities else reading_causes(note, until)
        assert len(causes) == 1, note


@pytest.mark.parametrize("until", SEASONS)
def test_the_cooldown_of_each_threshold_is_respected(until):
    last = {}
    for note in rows(until):
        key = (note["user_id"], note["type"])
        if key in last:
            assert at(note["sent_at"]) - last[key] >= BY_TYPE[note["type"]].cooldown_minutes * 60
        last[key] = at(note["sent_at"])


@pytest.mark.parametrize("until", SEASONS)
def test_notifications_are_of_many_types_and_none_drowns_the_others(until):
    types = Counter(notes(until).columns["type"])
    assert len(types) >= 10
    assert max(types.values()) < 150
    assert set(types) <= set(BY_TYPE)
    assert set(notes(until).columns["user_id"]) == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("until", SEASONS)
def test_read_at_is_set_exactly_for_read_and_archived_notifications_and_after_sent_at(until):
    for note in rows(until):
        assert note["status"] in ("unread", "read", "archived")
        assert np.isnat(note["read_at"]) == (note["status"] == "unread")
        assert np.isnat(note["read_at"]) or note["read_at"] > note["sent_at"]
        assert note["created_at"] == note["sent_at"]


def test_profiles_read_as_they_would():
    columns = notes().columns
    shares = {}
    for person in people(spec()):
        of_person = columns["user_id"] == person.id
        shares[person.profile.name] = (columns["status"][of_person] != "unread").mean()
        assert abs(shares[person.profile.name] - person.profile.reads) < 0.2
    assert shares["retired"] > shares["student"]
    waits = {person.profile.name: np.nanmedian((columns["read_at"] - columns["sent_at"])[
        (columns["user_id"] == person.id) & ~np.isnat(columns["read_at"])].astype(float)) for person in people(spec())}
    assert waits["student"] < waits["retired"]


def test_nobody_reads_in_the_small_hours():
    read = notes().columns["read_at"]
    hours = [datetime.fromtimestamp(at(moment), ZoneInfo("Europe/Paris")).hour for moment in read[~np.isnat(read)]]
    assert not set(hours) & {0, 1, 2, 3, 4, 5}


def test_thresholds_have_one_name_and_text_each_that_fits_its_column():
    assert len({threshold.type for threshold in THRESHOLDS}) == len(THRESHOLDS)
    assert all(len(threshold.type) <= 50 and len(threshold.title) <= 255 for threshold in THRESHOLDS)
    assert all(bool(threshold.rooms) != bool(threshold.activities) for threshold in THRESHOLDS)
