"""The most frequent queries, materialized: readings by device and by hour and day, time spent by person and day.

They outlive their source rows: raw readings are dropped after a year. `refresh` reaches back one to three months, for
devices that were offline; rows newer than its end are computed by each query.
"""

from schema.model.intervals import days, months, years
from schema.model.objects import Compression, ContinuousAggregate, Index, Refresh, Retention

MEASURES = ("temperature", "humidity", "pressure", "air_quality", "battery_level")


def _terms(terms: str) -> str:
    """Return the terms for every measure, its name in place of {m}."""
    return ",\n       ".join(terms.format(m=measure) for measure in MEASURES)


READINGS_HOURLY = ContinuousAggregate(
    "readings_hourly",
    comment="What each device measured by the hour: least, mean, most and how many of each measure",
    query=f"""
SELECT device_id, time_bucket('1 hour', measured_at) AS bucket, count(*) AS readings,
       {_terms("min({m}) AS {m}_min, avg({m}) AS {m}_avg, max({m}) AS {m}_max, count({m}) AS {m}_count")}
  FROM environmental_readings
 GROUP BY device_id, time_bucket('1 hour', measured_at)""",
    real_time=True,
    refresh=Refresh(months(1), "1 hour", "30 minutes"),
    indexes=(Index("idx_readings_hourly_device", ("device_id", "bucket DESC")),),
    compression=Compression(months(2), segment_by=("device_id",), order_by=("bucket DESC",)),
    retention=Retention(years(5)),
)

READINGS_DAILY = ContinuousAggregate(
    "readings_daily",
    comment="What each device measured by the day (UTC), from the hours: means are those of the readings",
    query=f"""
SELECT device_id, time_bucket('1 day', bucket) AS bucket, sum(readings)::bigint AS readings,
       {_terms("min({m}_min) AS {m}_min, sum({m}_avg * {m}_count) / nullif(sum({m}_count), 0) AS {m}_avg, "
                      "max({m}_max) AS {m}_max, sum({m}_count)::bigint AS {m}_count")}
  FROM readings_hourly
 GROUP BY device_id, time_bucket('1 day', bucket)""",
    real_time=True,
    refresh=Refresh(months(3), days(1), "6 hours"),
    indexes=(Index("idx_readings_daily_device", ("device_id", "bucket DESC")),),
    retention=Retention(years(10)),
)

ACTIVITY_DAILY = ContinuousAggregate(
    "activity_daily",
    comment="How long and how often each person did what by the day (UTC) on which it began; what lasts has no length",
    query="""
SELECT user_id, time_bucket('1 day', started_at) AS bucket, activity_type, count(*) AS activities,
       sum(ended_at - started_at) AS time_spent
  FROM activity_classifications
 GROUP BY user_id, time_bucket('1 day', started_at), activity_type""",
    real_time=True,
    refresh=Refresh(months(1), days(1), "6 hours"),
    indexes=(Index("idx_activity_daily_user", ("user_id", "bucket DESC")),),
    retention=Retention(years(10)),
)
