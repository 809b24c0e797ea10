"""The data set asked for: exact counts, the same bytes from the same number, bad requests refused in one line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from seed_data import SPRING, SUMMER, WINTER, joined, notes, spec, weeks, windows

from seed import SeedError, Spec, alerts, classifications, readings, users
from seed.devices import devices
from seed.encoding import text
from seed.spec import DAY


def data(wanted):
    made = list(readings(wanted))
    activities = classifications(wanted)
    return [users(wanted), devices(wanted), *made, activities, alerts(wanted, made, activities)]


def counts(wanted):
    found = {}
    for rows in data(wanted):
        found[rows.table] = found.get(rows.table, 0) + len(rows)
    return found


@pytest.mark.parametrize("until", [WINTER, SPRING, SUMMER])
def test_the_default_data_set_has_the_counts_of_the_specification(until):
    assert len(users(spec(until))) == 5
    assert len(devices(spec(until))) == 15
    assert sum(len(week) for week in weeks(until)) == 50_000
    assert len(windows(until)) == 5_000
    assert len(notes(until)) == 500


@pytest.mark.parametrize("changes", [
    {"users": 1, "devices_per_user": 1, "readings": 1, "activities": 1, "notifications": 0, "days": 1},
    {"users": 2, "devices_per_user": 5, "readings": 4_321, "activities": 77, "notifications": 20, "days": 7},
    {"users": 13, "devices_per_user": 2, "readings": 6_001, "activities": 2_002, "notifications": 131, "days": 9},
    {"users": 1, "devices_per_user": 1, "readings": 20_000, "activities": 700, "notifications": 0, "days": 1},
    {"users": 1, "devices_per_user": 1, "readings": 4 * 43_200, "activities": 700, "notifications": 3, "days": 4},
    {"users": 3, "devices_per_user": 1, "readings": 0, "activities": 0, "notifications": 0, "days": 5},
    {"number": 99},
])
def test_counts_are_exact_for_any_spec(changes):
    wanted = spec(SPRING, **changes)
    found = counts(wanted)
    assert found == {"users": wanted.users, "devices": wanted.devices, "notifications": wanted.most_notifications,
                     "activity_classifications": wanted.activities,
                     **({"environmental_readings": wanted.readings} if wanted.readings else {})}


def test_every_instant_of_the_year_and_number_has_causes_for_all_notifications():
    for month in range(12):
        wanted = spec(SPRING + timedelta(days=31 * month, hours=month), number=month, activities=5_000)
        assert counts(wanted)["notifications"] == 500


def test_the_same_number_and_instant_give_the_same_bytes():
    first, second = (b"".join(text(rows) for rows in data(spec(WINTER))) for _ in range(2))
    assert first == second


def test_another_number_gives_other_data():
    assert text(classifications(spec(WINTER, number=2))) != text(windows(WINTER))
    assert text(users(spec(WINTER, number=2))) != text(users(spec(WINTER)))


def test_nothing_is_later_than_the_end_nor_measured_before_the_start():
    for rows in data(spec(WINTER)):
        for name, values in rows.columns.items():
            if values.dtype.kind == "M":
                assert not (values > np.datetime64(WINTER.replace(tzinfo=None), "s")).any(), (rows.table, name)
    assert joined()["measured_at"].min() >= spec().start
    assert windows().columns["started_at"].min().astype(np.int64) >= spec().start


def test_until_defaults_to_now_in_whole_seconds():
    before = datetime.now(UTC).replace(microsecond=0)
    wanted = Spec()
    assert before <= wanted.until <= datetime.now(UTC)
    assert wanted.until.microsecond == 0
    assert wanted.end - wanted.start == 30 * DAY


def test_a_spec_survives_the_way_through_plain_values():
    wanted = spec(WINTER, users=7)
    as_floats = {name: float(value) if isinstance(value, int) else value for name, value in wanted.to_dict().items()}
    assert Spec.from_dict(as_floats) == wanted


@pytest.mark.parametrize(("values", "complaint"), [
    ({"users": 0}, r"seed users: 0 is not a whole number of at least 1"),
    ({"days": -3}, r"seed days: -3 is not a whole number of at least 1"),
    ({"readings": -1}, r"seed readings: -1 "),
    ({"devices_per_user": 2.5}, r"seed devices_per_user: 2.5 "),
    ({"notifications": True}, r"seed notifications: True "),
    ({"readings": 50_000_000}, r"seed readings: 50000000 do not fit in 30 days of 15 devices"),
    ({"activities": 500_000}, r"seed activities: 500000 do not fit in 30 days of 5 users"),
    ({"until": "yesterday"}, r"seed until: 'yesterday' is no ISO 8601 instant"),
    ({"until": "2026-01-01T00:00:00"}, r"seed until: 2026-01-01T00:00:00 has no time zone"),
    ({"until": "1970-01-01T00:00:00Z"}, r"is before 1990"),
    ({"user": 3}, r"unknown setting 'user'; known are "),
])
def test_a_bad_request_is_refused_in_one_line(values, complaint):
    with pytest.raises(SeedError, match=complaint) as caught:
        Spec.from_dict(values)
    assert "\n" not in str(caught.value)


def test_more_notifications_than_causes_are_refused_with_the_number_there_is():
    wanted = replace(spec(WINTER), readings=300, activities=50, notifications=500)
    with pytest.raises(SeedError, match=r"notifications: 500 asked for, .* only \d+ times; ask for at most \d+"):
        counts(wanted)
