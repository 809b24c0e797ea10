"""The days in the data: no overlap, plausible hours and durations, time zones, confidence, metadata."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seed import people
from seed.generate.calendar import instant, is_holiday, local_midnight
from seed.generate.profiles import ACTIVITIES, PROFILES
from tests.support.seed_data import SPRING, SUMMER, WINTER, life, spec, windows

SEASONS = [WINTER, SPRING, SUMMER]


def seconds(name, until=WINTER):
    return windows(until).columns[name].astype(np.int64)


def hours_a_day(activity, until=WINTER, users=range(1, 6)):
    """Hours of this activity a day, mean over users, in the whole timeline."""
    total = sum(((lived := life(user, until)).ends - lived.starts)[lived.activities == ACTIVITIES.index(activity)].sum()
                for user in users)
    return total / 3600 / 30 / len(list(users))


def share_by_hour(user, activity, until=WINTER):
    """For each local hour of the day, the share of days on which the user is at this activity at half past."""
    lived, wanted = life(user, until), spec(until)
    zone = ZoneInfo("Europe/Paris")
    hits = np.zeros(24)
    for step in range(wanted.start // 3600 * 3600 + 1800, wanted.end, 3600):
        local = datetime.fromtimestamp(step, zone)
        hits[local.hour] += lived.activities[lived.at(np.array([step]))[0]] == ACTIVITIES.index(activity)
    return hits / 30


@pytest.mark.parametrize("until", SEASONS)
def test_windows_of_one_user_never_overlap(until):
    columns = windows(until).columns
    for user in range(1, 6):
        of_user = columns["user_id"] == user
        starts, ends = seconds("started_at", until)[of_user], seconds("ended_at", until)[of_user]
        assert of_user.sum() == 1_000
        assert (ends > starts).all()
        assert (starts[1:] >= ends[:-1]).all()


def test_windows_last_as_long_as_a_classifier_would_make_them():
    minutes = (seconds("ended_at") - seconds("started_at")) / 60
    assert 35 < minutes.mean() < 50
    assert minutes.max() < 100
    assert (minutes < 3).mean() < 0.02


def test_a_few_windows_are_missing():
    covered = (seconds("ended_at") - seconds("started_at")).sum()
    assert 0.96 < covered / (5 * 30 * 86_400) < 0.999


# Insee's Emploi du temps 2009-2010 (Insee Premiere 1377): 8 h 30 of sleep, 2 h 13 at table, 1 h 02 washing, a mean over
# all people and days; a student eats faster, a retired person sleeps after lunch.
@pytest.mark.parametrize(("activity", "published", "tolerance"), [
    ("sleep", 8.5, 1.0), ("meal", 2.2, 0.6), ("hygiene", 1.0, 0.5)])
@pytest.mark.parametrize("until", SEASONS)
def test_time_use_is_that_of_the_national_survey(until, activity, published, tolerance):
    assert abs(hours_a_day(activity, until) - published) < tolerance


# The same survey: 3 h 10 of housework, cooking, shopping and care a day.
def test_domestic_work_takes_about_as_long_as_in_the_survey():
    domestic = sum(hours_a_day(activity) for activity in ("housework", "cooking", "shopping", "childcare"))
    assert 2.2 < domestic < 4.6


# Insee Premiere, "En 25 ans, le temps passe a dormir la nuit a diminue de 18 minutes" (Emploi du temps 2010): at one in
# the morning one person in ten is still up.
def test_at_night_those_who_do_not_work_sleep():
    for user in (1, 4, 5):
        asleep = share_by_hour(user, "sleep")
        assert asleep[1:5].min() > 0.85
        assert asleep[10:12].max() < 0.25


def test_the_office_worker_works_in_office_hours_and_the_nurse_at_all_hours():
    office, nurse = share_by_hour(1, "work"), share_by_hour(2, "work")
    assert office[9:12].min() > 0.45
    assert office[0:7].max() == 0
    assert nurse[22:24].min() > 0.1
    assert nurse[7:12].min() > 0.1


def test_meals_are_at_meal_times():
    lunch = np.mean([share_by_hour(user, "meal")[12] for user in (1, 3, 4, 5)])
    dinner = np.mean([share_by_hour(user, "meal")[19:21].max() for user in (1, 3, 4, 5)])
    night = np.mean([share_by_hour(user, "meal")[2:5].max() for user in (1, 3, 4, 5)])
    assert lunch > 0.3
    assert dinner > 0.3
    assert night < 0.02


def test_weekdays_differ_from_weekends_and_holidays():
    lived = life(1, SPRING)
    days = [datetime.fromtimestamp(int(start), ZoneInfo("Europe/Paris")).date()
            for start, code in zip(lived.starts, lived.activities, strict=True) if ACTIVITIES[code] == "work"]
    assert days
    assert all(day.weekday() < 5 and not is_holiday(day) for day in days)
    assert date(2026, 4, 6) not in days  # Easter Monday


@pytest.mark.parametrize("day", [date(2024, 4, 1), date(2025, 4, 21), date(2026, 5, 14), date(2026, 5, 25),
                                 date(2027, 3, 29), date(2026, 7, 14)])
def test_french_holidays_are_known(day):
    assert is_holiday(day)


def test_habits_keep_the_users_clock_when_the_clock_changes():
    """Work starts at the same local hour before and after 29 March 2026, an hour earlier in UTC."""
    lived = life(1, SPRING)
    change = local_midnight(date(2026, 3, 29))
    first = {}
    for start, code in zip(lived.starts, lived.activities, strict=True):
        if ACTIVITIES[code] == "work":
            local = datetime.fromtimestamp(int(start), ZoneInfo("Europe/Paris"))
            first.setdefault(local.date(), (int(start), local))
    before = [time for time in first.values() if time[0] < change]
    after = [time for time in first.values() if time[0] > change]

    def usual(times, zone):
        return np.median([(at := datetime.fromtimestamp(second, zone)).hour + at.minute / 60 for second, _ in times])

    assert abs(usual(before, ZoneInfo("Europe/Paris")) - usual(after, ZoneInfo("Europe/Paris"))) < 0.3
    assert 0.7 < usual(before, UTC) - usual(after, UTC) < 1.3


def test_minutes_that_the_clock_skips_or_repeats_have_one_instant():
    assert instant(date(2026, 3, 29), 150) == local_midnight(date(2026, 3, 29)) + 150 * 60
    assert instant(date(2026, 10, 25), 150) == local_midnight(date(2026, 10, 25)) + 150 * 60
    assert instant(date(2026, 10, 25), 24 * 60) == local_midnight(date(2026, 10, 26))


def test_confidence_is_lower_for_short_windows_and_rare_kinds():
    columns = windows().columns
    score = columns["confidence_score"]
    minutes = (seconds("ended_at") - seconds("started_at")) / 60
    assert 0 <= score.min() <= score.max() <= 1
    assert np.array_equal(np.round(score, 2), score)
    kinds, amounts = np.unique(columns["activity_type"].astype(str), return_counts=True)
    means = {kind: score[columns["activity_type"] == kind].mean() for kind in kinds}
    assert means["sleep"] > 0.93
    common = [means[kind] for kind in kinds[amounts > 150]]
    rare = [means[kind] for kind in kinds[amounts <= 150]]
    assert np.mean(common) > np.mean(rare)
    for kind in kinds[amounts > 100]:
        of_kind = columns["activity_type"] == kind
        if (of_kind & (minutes < 15)).sum() > 10:
            assert score[of_kind & (minutes < 15)].mean() < score[of_kind & (minutes > 25)].mean()


def test_metadata_fits_the_kind_of_activity():
    columns = windows().columns
    details = [json.loads(document) for document in columns["metadata"]]
    wanted = {"transport": {"mode", "distance_km"}, "exercise": {"heart_rate_bpm", "calories"}, "cooking": {"dish"},
              "walk": {"steps"}, "meal": {"meal"}, "sleep": {"stage"}}
    for kind, document in zip(columns["activity_type"], details, strict=True):
        assert {"place", "light_lux", "noise_db", "movement"} <= set(document)
        assert wanted.get(kind, set()) <= set(document)


def test_sleep_is_dark_quiet_and_still():
    columns = windows().columns
    asleep = columns["activity_type"] == "sleep"
    details = [json.loads(document) for document in columns["metadata"]]
    for key, most, times_more in (("light_lux", 10, 20), ("noise_db", 40, 1.5), ("movement", 0.08, 4)):
        values = np.array([document[key] for document in details])
        assert np.percentile(values[asleep], 99) < most
        assert np.median(values[~asleep]) > times_more * np.median(values[asleep])


def test_every_profile_has_a_timetable_for_every_day_that_uses_known_activities():
    for profile in PROFILES:
        for day in range(730_000, 730_400):
            entries = profile.timetable(date.fromordinal(day))
            assert [entry.minute for entry in entries] == sorted(entry.minute for entry in entries)
            assert {entry.activity for entry in entries} <= set(ACTIVITIES)
    assert [person.profile.name for person in people(spec())] == [profile.name for profile in PROFILES]
