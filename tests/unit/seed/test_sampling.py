"""When devices report, each type in its own manner, and what that does to their batteries."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest

from seed import Spec, fleet, readings
from seed.generate import calendar, device_clock, device_types
from seed.generate.activities import PLACE_NAMES
from seed.generate.profiles import ACTIVITIES, PROFILES
from seed.generate.sampling import schedules
from seed.spec import DAY
from tests.support.seed_data import SPRING, SUMMER, WINTER, devices_in, life, local_hours, of_device, spec


def pauses(device, until=WINTER):
    """Between two reports of this device, in shares of its interval."""
    return np.diff(of_device(device, until)["measured_at"]) / device.interval


def pace_while(device, until, **wanted):
    """How often a device reports while its owner is at this `place` or `activity`, or not, against its mean."""
    lived = life(device.owner.id, until)
    held = np.ones(len(lived.starts), dtype=bool)
    for name, (value, equal) in wanted.items():
        code = ACTIVITIES.index(value) if name == "activity" else PLACE_NAMES.index(value)
        held &= ((lived.activities if name == "activity" else lived.places) == code) == equal
    times = of_device(device, until)["measured_at"]
    time = (lived.ends - lived.starts)[held].sum() / (lived.ends - lived.starts).sum()
    return held[lived.at(times)].mean() / time


def test_a_device_on_the_mains_reports_like_a_clock():
    for device in devices_in("kitchen"):
        steady = abs(pauses(device) - 1) < 0.1
        assert steady.mean() > 0.96


def test_a_wearable_reports_in_bursts_of_three():
    for device in devices_in("phone"):
        short, long = (pauses(device) < 0.7).mean(), (pauses(device) > 1.2).mean()
        assert 0.6 < short < 0.7
        assert 0.3 < long < 0.4


@pytest.mark.parametrize("until", [WINTER, SPRING, SUMMER])
def test_a_living_rooms_sensor_sleeps_with_its_owner_and_is_awake_where_somebody_is(until):
    for device in devices_in("living room", until):
        asleep = pace_while(device, until, activity=("sleep", True))
        occupied = pace_while(device, until, place=("living room", True))
        assert asleep < 0.65
        assert occupied > 1.25
        assert occupied > 2.2 * asleep


@pytest.mark.parametrize("until", [WINTER, SPRING, SUMMER])
def test_a_bedrooms_sensor_watches_the_sleeper(until):
    for device in devices_in("bedroom", until):
        assert pace_while(device, until, activity=("sleep", True)) > 1.2
        assert pace_while(device, until, activity=("sleep", False)) < 0.9


def test_a_bathrooms_sensor_reports_what_changes_while_somebody_washes():
    wanted = Spec(users=5, devices_per_user=5, days=30, interval=300, until=WINTER)
    rooms = {device.id: device.owner.id for device in fleet(wanted) if device.room == "bathroom"}
    rows = [part.columns for part in readings(wanted)]
    for id_, owner in rooms.items():
        times = np.concatenate([part["measured_at"][part["device_id"] == id_] for part in rows]).astype(np.int64)
        lived = life(owner)
        washing = lived.activities == ACTIVITIES.index("hygiene")
        share = (lived.ends - lived.starts)[washing].sum() / (30 * DAY)
        assert washing[lived.at(times)].mean() > 1.6 * share


def by_hour(until, span):
    """Reports by local hour of the living rooms whose owners sleep at night, in shares of the even pace."""
    times = np.concatenate([of_device(device, until)["measured_at"] for device in devices_in("living room", until)
                            if not device.owner.profile.rotation])
    times = times[(times >= span[0]) & (times < span[1])]
    return np.bincount(local_hours(times).astype(int), minlength=24) / len(times) * 24


def test_nights_are_quiet_by_the_owners_clock_before_summer_time_and_after():
    change = 1774746000
    before, after = by_hour(SPRING, (0, change - DAY)), by_hour(SPRING, (change + DAY, 2**62))
    for hours in (before, after):
        assert hours[2:6].max() < 0.6
        assert hours[19:22].min() > 1.2
    assert np.corrcoef(before, after)[0, 1] > 0.9


@pytest.mark.parametrize("hours", [0, 6, 12, 20])
@pytest.mark.parametrize("changed", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_on_the_day_the_clocks_change_the_pace_is_that_of_the_same_hours_a_week_before(changed, hours):
    """Whenever the days of 24 h begin that the data is made of: with the change early or late in one of them."""
    start = int(changed.timestamp()) - 9 * DAY - 3600 + hours * 3600
    known = device_clock.pace(start, 13, [(PROFILES[0], "living room")])
    step, change = 600, int(changed.timestamp()) - start
    offset = calendar.utc_offset(start + change) - calendar.utc_offset(start + change - 1)

    def rates(begin, end):
        times = np.arange(begin, end + 1, step)
        return np.diff(known.own(times)[0]) / step

    before, after = rates(change - 12 * 3600, change), rates(change, change + 20 * 3600)
    assert np.corrcoef(before, rates(change - 7 * DAY - 12 * 3600, change - 7 * DAY))[0, 1] > 0.95
    begin = change - 7 * DAY + offset
    assert np.corrcoef(after, rates(begin, begin + 20 * 3600))[0, 1] > 0.95


def test_a_nurses_sensors_follow_her_shifts():
    """After a night shift she sleeps in the morning, and her bedroom's sensor is at its densest then."""
    nurse = PROFILES[1]
    known = device_clock.pace(spec().start, 30, [None, (nurse, "bedroom")])
    assert len(known.tables) > 7
    assert len(set(known.days[1].tolist())) > 7
    assert set(known.days[0].tolist()) == {0}


def test_every_day_has_as_many_reports_of_a_device_whatever_its_manner():
    for device in fleet(spec()):
        times = of_device(device)["measured_at"]
        if np.diff(times).max() > DAY:
            continue
        days = np.bincount((times - spec().start) // DAY, minlength=30)
        # What is lost is lost on some days.
        assert np.median(days) - 2 <= days.max() <= np.median(days) + 3


@pytest.mark.parametrize("interval", [2, 4, 5, 6, 19, 20, 21, 60])
def test_at_the_shortest_intervals_no_device_reports_twice_in_a_second(interval):
    wanted = Spec(users=5, devices_per_user=5, days=1, interval=interval, activities=0, until=WINTER)
    planned = schedules(wanted)
    devices, times = planned.reports(wanted.start, wanted.end)
    assert np.bincount(devices).tolist() == [DAY // interval] * 25
    assert (np.diff(times)[devices[1:] == devices[:-1]] > 0).all()


def test_no_habit_makes_a_clock_run_faster_than_a_second_allows(monkeypatch):
    hasty = device_types.DeviceType("hasty", "Hasty", "cells", here=1_000.0, asleep=0.001, away=0.001, home=0.001)
    monkeypatch.setitem(device_types.TYPES, "bathroom", hasty)
    for profile in PROFILES:
        tables = device_clock.pace(spec().start, 30, [None, (profile, "bathroom")]).tables
        assert len(tables) > 1
        steps = np.diff(tables, axis=1)
        assert steps.min() >= 1800 / device_clock.FASTEST - 1
        assert steps.min() < 1800 / 3


def test_own_clocks_and_wall_clocks_convert_into_each_other():
    known = device_clock.pace(spec().start, 30, [None, *((profile, "living room") for profile in PROFILES)])
    wall = np.arange(0, 30 * DAY, 777)
    for pair, own in enumerate(known.own(wall)):
        assert (np.diff(own) > 0).all()
        assert abs(known.wall(np.full(len(own), pair), own.copy()) - wall).max() < 0.01
        assert np.array_equal(known.own(np.arange(31) * DAY)[pair], np.arange(31) * DAY)


def test_phones_are_charged_at_night_and_cells_last_for_weeks():
    for device in fleet(spec()):
        readings = of_device(device)
        level, hours = readings["battery_level"], local_hours(readings["measured_at"])
        falls = np.diff(level) <= 1
        assert falls.mean() > 0.75
        if device.room == "phone":
            assert (level >= 99).any()
            assert level.min() < 60
            if not device.owner.profile.rotation:
                assert level[(hours > 6) & (hours < 7.5)].mean() > level[(hours > 20) & (hours < 22)].mean() + 20
        else:
            assert ((np.diff(level) > 20).sum()) <= 1


def test_one_device_was_offline_for_more_than_a_day_and_all_miss_some_readings():
    gaps = {}
    for device in fleet(spec()):
        pauses = np.diff(of_device(device)["measured_at"]) / 3600
        gaps[device.id] = pauses.max()
        assert (pauses > 1.6 * np.median(pauses)).sum() > 10
    assert sum(gap > 24 for gap in gaps.values()) == 1
    assert max(gaps.values()) < 40


def test_the_mains_never_fall_and_cells_fall_slower_while_their_sensor_sleeps():
    night, evening = [], []
    for until in (WINTER, SPRING, SUMMER):
        for device in devices_in("kitchen", until):
            assert (of_device(device, until)["battery_level"] == 100).all()
        for device in devices_in("living room", until):
            readings = of_device(device, until)
            hours = local_hours(readings["measured_at"])[1:]
            falls = np.clip(-np.diff(readings["battery_level"]), 0, 2)
            if not device.owner.profile.rotation:
                night.append(falls[(hours >= 1) & (hours < 6)].sum())
                evening.append(falls[(hours >= 17) & (hours < 22)].sum())
    assert sum(night) > 20
    assert sum(night) < 0.8 * sum(evening)


@pytest.mark.parametrize("asked", [spec(), spec(readings=2_000_000, days=9), spec(readings=700, users=9),
                                   Spec(devices_per_user=5, days=5, interval=20, until=WINTER),
                                   spec(days=400, readings=40_000)])
def test_reports_are_the_same_however_time_is_cut_and_counted_without_making_them(asked):
    planned = schedules(asked)
    devices, all_times = planned.reports(asked.start, asked.end)
    assert len(all_times) == asked.readings
    cuts = [*range(asked.start, asked.end, 77_777), asked.end]
    parts = [planned.reports(begin, end) for begin, end in pairwise(cuts)]
    for device in range(asked.devices):
        of_device_times = np.concatenate([times[owners == device] for owners, times in parts])
        assert np.array_equal(all_times[devices == device], of_device_times)
        assert (np.diff(of_device_times) > 0).all()
    for cut in cuts:
        assert np.array_equal(planned.before(cut), np.bincount(devices[all_times < cut], minlength=asked.devices))
