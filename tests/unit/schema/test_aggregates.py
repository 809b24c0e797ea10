"""Continuous aggregates without a server: their queries taken apart, their windows, and what lint finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from schema.aggregates import aggregate_query, refresh_windows
from schema.aggregates.aggregate_query import Bucket
from schema.errors import DeclarationError
from schema.lint import lint, warnings
from schema.model.objects import (
    Column,
    Compression,
    ContinuousAggregate,
    Hypertable,
    Index,
    Object,
    Policy,
    Refresh,
    Retention,
    RowSecurity,
    Table,
)
from schema.planning.plan import plan_from_empty

READINGS = Table("readings", (Column("device", "bigint"), Column("at", "timestamptz"), Column("value", "float8")),
                 hypertable=Hypertable("at", "7 days"), retention=Retention("1 year"))
HOURLY = ContinuousAggregate(
    "hourly", "SELECT device, time_bucket('1 hour', at) AS bucket, avg(value) AS value FROM readings GROUP BY 1, 2",
    refresh=Refresh("1 month", "1 hour"), retention=Retention("5 years"),
    indexes=(Index("hourly_device", ("device",)),))
DAILY = ContinuousAggregate(
    "daily", "SELECT device, time_bucket('1 day', bucket) AS day, avg(value) AS value FROM hourly GROUP BY 1, 2",
    refresh=Refresh("3 months", "1 day"))
ALL: tuple[Object, ...] = (READINGS, HOURLY, DAILY)


def on(width: str) -> ContinuousAggregate:
    return replace(DAILY, query=DAILY.query.replace("1 day", width), refresh=Refresh(None, "1 day"),)


WORDS = """SELECT device_id,
    time_bucket('01:00:00'::interval, r.at) AS bucket,
    avg(temperature) AS "Mean",
    count(*) FILTER (WHERE (a IS DISTINCT
    FROM b)) AS n,
    dev AS d
   FROM readings r
  GROUP BY device_id, (time_bucket('01:00:00'::interval, r.at))"""


def test_a_query_is_taken_apart_into_columns_and_the_rest() -> None:
    parsed = aggregate_query.parse(WORDS)
    assert parsed is not None
    assert list(parsed.columns) == ["device_id", "bucket", "Mean", "n", "d"]
    assert parsed.columns["Mean"] == "avg(temperature)"
    assert parsed.rest.split()[:2] == ["FROM", "readings"]
    assert aggregate_query.same(parsed.text(), parsed.text().replace("device_id, time", "device_id,  time"))


def test_the_order_of_columns_does_not_count_and_their_expressions_do() -> None:
    parsed = aggregate_query.parse(WORDS)
    assert parsed is not None
    turned = aggregate_query.Query(dict(reversed(parsed.columns.items())), parsed.rest).text()
    assert aggregate_query.same(WORDS, turned)
    assert not aggregate_query.same(WORDS, WORDS.replace("avg", "max"))
    assert not aggregate_query.same(WORDS, WORDS.replace("readings r", "others r"))


@pytest.mark.parametrize(("query", "expected"), [
    (HOURLY.query, Bucket("1 hour", "at", "bucket")),
    (WORDS, Bucket("01:00:00", "at", "bucket")),
    ("SELECT public.time_bucket(INTERVAL '1 month', \"At\", 'UTC') m FROM t", Bucket("1 month", "At", "m")),
    ("SELECT time_bucket(10, t), count(*) FROM r", Bucket("10", "t", "time_bucket")),
    ("SELECT time_bucket((1000)::bigint, t) AS b FROM r", Bucket("1000", "t", "b")),
    ("SELECT device FROM r", None)])
def test_the_bucket_of_a_query_is_recognised_in_every_spelling(query: str, expected: Bucket | None) -> None:
    assert aggregate_query.bucket(query) == expected


@pytest.mark.parametrize("first", [datetime(2024, 2, 27, 13, 7, tzinfo=UTC), datetime(2024, 2, 27, 13, 7),
                                   date(2024, 2, 27), 170_900_000])
@pytest.mark.parametrize(("width", "days"), [("1 hour", 1), ("1 day", 40), ("1 month", 400), ("1 week", 90)])
def test_windows_cover_every_bucket_completely_and_stay_on_their_grid(
        first: refresh_windows.Moment, width: str, days: int) -> None:
    if isinstance(first, int):
        length, size, last, text = 86_400 * 7, 3_600, first + days * 86_400, "3600"
    elif not isinstance(first, datetime) and width == "1 hour":
        pytest.skip("a date has no hours")
    else:
        length, size, text = 7 * 86_400 * 1_000_000, refresh_windows.width_of(width), width
        last = first + timedelta(days=days)
    windows = refresh_windows.windows(first, last, length=length, width=size)
    assert windows[0].start <= first  # type: ignore[operator]
    assert windows[-1].until > last  # type: ignore[operator]
    for one, after in pairwise(windows):
        assert one.until == after.start
    for window in windows:  # a bucket that begins before `until` ends before `end`
        assert refresh_windows.later(window.until, text) <= window.end  # type: ignore[operator]
    later = last + (60 if isinstance(last, int) else timedelta(0))
    assert refresh_windows.windows(first, later, length=length, width=size)[:len(windows)] == windows


def test_windows_are_never_too_many_and_never_reach_before_the_first_row_where_that_is_asked() -> None:
    first = datetime(2001, 3, 4, 5, 6)
    windows = refresh_windows.windows(first, datetime(2026, 1, 1), length=86_400_000_000, width=3_600_000_000,
                                      exact=True)
    assert len(windows) <= refresh_windows.MOST + 1
    assert windows[0].start == first


def test_a_plan_from_empty_creates_sources_first_and_has_no_heavy_step() -> None:
    plan = plan_from_empty(ALL)
    created = [step.sql.split()[3].split("(")[0] for step in plan.steps if step.sql.startswith("CREATE MATERIALIZED")]
    assert created == ["hourly", "daily"]
    assert not any(step.heavy or step.hazards for step in plan.steps)
    assert all("create_group_indexes = false" in step.sql for step in plan.steps if "CREATE MATERIALIZED" in step.sql)


def test_sound_aggregates_have_no_finding() -> None:
    lint(ALL)
    assert not [line for line in warnings(ALL) if line.startswith(("hourly", "daily"))]


WRONG: dict[str, tuple[Object, ...]] = {
    r"hourly\.refresh: it reaches 2 years back, readings keeps rows for 1 year": (
        READINGS, replace(HOURLY, refresh=Refresh("2 years", "1 hour"))),
    r"hourly\.refresh: it reaches back to the beginning, readings keeps rows": (
        READINGS, replace(HOURLY, refresh=Refresh(None, "1 hour"), retention=None)),
    r"daily\.refresh: it reaches 3 months back, hourly keeps rows for 2 months": (
        READINGS, replace(HOURLY, retention=Retention("2 months")), DAILY),
    r"hourly\.refresh: it reaches 1 month back, retention drops buckets after 20 days": (
        HOURLY, replace(HOURLY, retention=Retention("20 days")))[1:],
    r"daily: buckets of 90 minutes are not made of whole buckets of 1 hour": (HOURLY, on("90 minutes")),
    r"daily: buckets of 30 minutes are not made of whole": (HOURLY, on("30 minutes")),
    r"weekly: buckets of 1 month are not made of whole buckets of 1 week": (
        replace(HOURLY, query=HOURLY.query.replace("1 hour", "1 week"), refresh=None),
        replace(on("1 month"), name="weekly")),
    r"hourly\.refresh: from 90 minutes to now is less than two buckets": (
        replace(HOURLY, refresh=Refresh("90 minutes", None)),),
    r"hourly: the query groups by no time_bucket": (replace(HOURLY, query="SELECT count(*) FROM readings"),),
    r"hourly\.hourly_device: an aggregate has no unique index": (
        replace(HOURLY, indexes=(replace(HOURLY.indexes[0], unique=True),)),),
    r"daily\.hourly_device: the indexes of all aggregates share their names": (
        HOURLY, replace(DAILY, indexes=HOURLY.indexes)),
    r"hourly: compression after 6 years never happens": (replace(HOURLY, compression=Compression("6 years")),),
    r"hourly\.start: interval '1 moon'": (replace(HOURLY, refresh=Refresh("1 moon", None)),),
    r"needs the name with __new after it": (replace(HOURLY, name="h" * 60),),
    r"x__old: names with __new and __old are those": (replace(HOURLY, name="x__old"),),
    r"hourly: readings has row-level security": (
        replace(READINGS, row_security=RowSecurity((Policy("p", using="true"),))), HOURLY),
    r"hourly\.refresh: readings has an integer time column": (
        replace(READINGS, columns=(Column("device", "bigint"), Column("at", "bigint"), Column("value", "float8")),
                hypertable=Hypertable("at", "1000"), retention=None),
        replace(HOURLY, query=HOURLY.query.replace("'1 hour'", "10"), refresh=Refresh("100", "10"), retention=None)),
}


@pytest.mark.parametrize("finding", WRONG)
def test_conflicting_policies_of_an_aggregate_are_errors(finding: str) -> None:
    with pytest.raises(DeclarationError, match=finding):
        lint(WRONG[finding])


@pytest.mark.parametrize("width", ["1 hour", "2 hours", "1 day", "1 week", "1 month", "1 year"])
def test_buckets_that_are_multiples_of_their_sources_have_no_finding(width: str) -> None:
    lint((replace(HOURLY, retention=None), on(width)))


def test_a_refresh_that_reaches_into_the_columnstore_is_a_warning_that_can_be_allowed() -> None:
    wrong = replace(HOURLY, compression=Compression("20 days"))
    assert "hourly.compression: buckets go to the columnstore after 20 days" in "\n".join(warnings((READINGS, wrong)))
    allowed = replace(wrong, allow=("refreshes_columnstore",))
    assert "hourly.compression" not in "\n".join(warnings((READINGS, allowed)))
