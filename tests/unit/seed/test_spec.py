"""The data set asked for: exact counts, the same bytes from the same number, bad requests refused in one line."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from seed import Rows, SeedError, Spec, alerts, classifications, devices, readings, users
from seed.generate.activities import classification_parts
from seed.generate.readings.measurements import make_slice, slices
from seed.load.encoding import text
from seed.spec import DAY, days_between
from tests.support.seed_data import SPRING, SUMMER, WINTER, joined, notes, spec, weeks, windows


def data(wanted):
    parts = list(readings(wanted))
    activities = classifications(wanted)
    return [users(wanted), devices(wanted), *parts, activities, alerts(wanted, parts, activities)]


def counts(wanted):
    row_counts = {}
    for rows in data(wanted):
        row_counts[rows.table] = row_counts.get(rows.table, 0) + len(rows)
    return row_counts


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
    row_counts = counts(wanted)
    assert row_counts == {"users": wanted.users, "devices": wanted.devices, "notifications": wanted.most_notifications,
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


def test_until_defaults_to_now_rounded_to_seconds():
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
    ({"interval": 1}, r"seed interval: 1 is not a whole number of at least 2"),
    ({"interval": 3 * DAY, "days": 2}, r"seed interval: 259200 s is longer than 2 days; give a shorter one"),
    ({"interval": 60, "readings": 5}, r"seed interval: 60 and readings: 5 were both given; leave one of them out"),
    ({"users": 10**7}, r"seed users: 10000000 is not a whole number of at most 1000000"),
    ({"users": 10**6, "devices_per_user": 1000}, r"are more than have a MAC address of their own"),
    ({"days": 19_999, "until": "2020-01-01T00:00:00Z"}, r"seed days: 19999 before 2020-\S+ begin before 1971"),
    ({"locale": "xx_YY"}, r"seed locale: 'xx_YY' is none that Faker has; take one such as fr_FR or en_GB"),
])
def test_a_bad_request_is_refused_in_one_line(values, complaint):
    with pytest.raises(SeedError, match=complaint) as caught:
        Spec.from_dict(values)
    assert "\n" not in str(caught.value)


def test_omitted_counts_follow_the_specification_in_proportion():
    year = Spec(users=10, devices_per_user=4, days=360, until=WINTER)
    assert (year.total_readings, year.total_activities, year.most_notifications) == (1_600_000, 120_000, 12_000)
    paced = Spec(users=10, devices_per_user=4, days=3, interval=60, until=WINTER)
    assert paced.total_readings == 40 * 3 * 1_440
    assert counts(replace(paced, users=2, readings=None))["environmental_readings"] == 8 * 3 * 1_440
    assert Spec.from_dict(paced.to_dict()) == paced


def test_fewer_notifications_come_where_fewer_are_caused_unless_a_number_was_asked_for():
    sparse = Spec(days=2, interval=6 * 3_600, activities=4, until=WINTER)
    assert counts(sparse).get("notifications", 0) < sparse.most_notifications


def test_an_interval_is_kept_by_every_device():
    wanted = Spec(users=3, days=20, interval=90, until=WINTER)
    rows = Rows("environmental_readings", {name: np.concatenate([part.columns[name] for part in readings(wanted)])
                                           for name in ("device_id", "measured_at")})
    for device in range(1, 10):
        times = rows.columns["measured_at"][rows.columns["device_id"] == device].astype(np.int64)
        assert len(times) == 20 * DAY // 90
        assert 85 < np.diff(times).mean() < 95


def test_a_data_set_may_go_on_from_ids_that_are_taken():
    wanted = spec(SPRING, users=3, readings=900, activities=90, notifications=9, days=5, first_user=70,
                  first_device=1_001)
    columns = {rows.table: rows.columns for rows in data(wanted)}
    assert columns["users"]["id"].tolist() == [70, 71, 72]
    assert columns["devices"]["id"].tolist() == list(range(1_001, 1_010))
    assert set(columns["devices"]["user_id"]) == set(columns["notifications"]["user_id"]) | {70, 71, 72}
    assert set(columns["environmental_readings"]["device_id"]) <= set(range(1_001, 1_010))
    plain = {rows.table: rows.columns for rows in data(replace(wanted, first_user=1, first_device=1))}
    assert not set(columns["users"]["email"]) & set(plain["users"]["email"])
    assert not set(columns["devices"]["mac_address"]) & set(plain["devices"]["mac_address"])
    for note in columns["notifications"]["message"]:
        assert not any(mac in note for mac in plain["devices"]["mac_address"])


@pytest.mark.parametrize(("since", "until", "complaint"), [
    ("2026-03-02", "2026-03-01", r"seed since: 2026-03-02\S* is not before the end, 2026-03-01"),
    ("2026-03-01T12:00", "2026-03-02", r"is less than a day before the end")])
def test_an_end_before_the_start_is_refused_in_one_line(since, until, complaint):
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (since, until))
    with pytest.raises(SeedError, match=complaint) as caught:
        days_between(first, last)
    assert "\n" not in str(caught.value)


def test_the_days_between_two_instants_are_the_complete_ones():
    assert days_between(WINTER - timedelta(days=9, hours=5), WINTER) == 9


def test_slices_do_not_depend_on_one_another(monkeypatch):
    """Any slice alone is the slice as it comes in its turn, ids included, whichever group of homes it is of."""
    monkeypatch.setattr("seed.generate.readings.measurements._MOST_ROWS", 30_000)
    wanted = Spec(users=120, devices_per_user=3, days=20, readings=150_000, until=WINTER)
    cut = slices(wanted)
    assert len({part.first for part in cut}) > 1 or len(cut) > 4
    parts = [make_slice(wanted, part) for part in cut]
    assert np.array_equal(np.concatenate([part.columns["id"] for part in parts]), np.arange(1, 150_001))
    middle = len(cut) // 2
    assert text(make_slice(replace(wanted), cut[middle])) == text(parts[middle])
    assert max(map(len, parts)) <= 45_000


def test_many_homes_are_loaded_in_groups_and_no_reading_is_missing():
    wanted = Spec(users=2_000, devices_per_user=1, days=2, readings=9_000, until=WINTER)
    cut = slices(wanted)
    assert len({part.first for part in cut}) > 1
    parts = list(readings(wanted))
    assert np.array_equal(np.sort(np.concatenate([rows.columns["id"] for rows in parts])), np.arange(1, 9_001))
    pairs = np.concatenate([rows.columns["device_id"] * 10**11 + rows.columns["measured_at"].astype(np.int64)
                            for rows in parts])
    assert len(np.unique(pairs)) == 9_000


def test_activities_of_many_people_come_in_groups_and_add_up(monkeypatch):
    monkeypatch.setattr("seed.generate.activities._GROUP_ROWS", 10_000)
    wanted = Spec(users=60, days=30, activities=25_000, readings=0, until=WINTER)
    sizes = [len(rows) for rows in classification_parts(wanted)]
    assert len(sizes) > 1
    assert sum(sizes) == 25_000
    assert np.array_equal(classifications(wanted).columns["id"], np.arange(1, 25_001))


def test_more_notifications_than_causes_are_refused_with_the_possible_number():
    wanted = replace(spec(WINTER), readings=300, activities=50, notifications=500)
    with pytest.raises(SeedError, match=r"notifications: 500 asked for, .* only \d+ times; ask for at most \d+"):
        counts(wanted)
