"""Durations compared by what they mean."""

import pytest

from schema.errors import DeclarationError
from schema.model import intervals


@pytest.mark.parametrize(("one", "other"), [
    ("1 week", "7 days"), ("1 month", "1 mon"), ("1 year", "12 months"), ("1 year", "1 yr"), ("24 hours", "24:00:00"),
    ("1 year 2 mons 3 days 04:05:06", "14 months 3 days 4 hours 5 minutes 6 seconds"), ("90 mins", "01:30:00"),
    ("1 day", "24:00:00"), ("1000", "1000"), ("-01:30:00", "-90 minutes"),
])
def test_intervals_of_equal_value_are_the_same(one: str, other: str) -> None:
    assert intervals.same(one, other)


@pytest.mark.parametrize(("one", "other"), [
    ("1 month", "30 days"), ("1 year", "365 days"), ("1 week", "8 days"), ("1000", "1000 seconds"), ("1 day", None)])
def test_intervals_that_differ_are_not_the_same(one: str, other: str | None) -> None:
    assert not intervals.same(one, other)


def test_a_chunk_of_a_month_is_thirty_days_long() -> None:
    assert intervals.fixed_length("1 month") == intervals.fixed_length("30 days")


@pytest.mark.parametrize("text", ["a while", "3 fortnights", "1 week and more"])
def test_what_is_no_interval_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(DeclarationError, match="write it as"):
        intervals.length(text)


def test_counts_are_written_as_people_read_them() -> None:
    assert [intervals.days(1), intervals.weeks(2), intervals.months(1), intervals.years(3)] == [
        "1 day", "2 weeks", "1 month", "3 years"]


def test_numbers_and_intervals_become_their_own_sql() -> None:
    assert intervals.sql("1 week") == "interval '1 week'"
    assert intervals.sql("86400") == "86400"
