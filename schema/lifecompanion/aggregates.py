"""What is asked for most, computed ahead: the readings of each device by hour and day, each person's time by day.

They outlive what they are computed from: raw readings go after a year. `refresh` reaches back a month, for devices that
were offline; what is newer than its end is computed when it is asked for.
"""

from schema.model.intervals import days, months, years
from schema.model.objects import Compression, ContinuousAggregate, Index, Refresh, Retention

MEASURES = ("temperature", "humidity", "pressure", "air_quality", "battery_level")


def _each(terms: str) -> str:
    """The terms for every measure, put for {m}."""
    return ",\n       ".join(terms.format(m=measure) for measure in MEASURES)


READINGS_HOURLY = ContinuousAggregate(
    "readings_hourly",
    comment="What each device measured by the hour: least, mean, most and how many of each measure",
    query=f"""
SELECT device_id, time_bucket('1 hour', measured_at) AS bucket, count(*) AS readings,
       {_each("min({m}) AS {m}_min, avg({m}) AS {m}_avg, max({m}) AS {m}_max, count({m}) AS {m}_count")}
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
       {_each("min({m}_min) AS {m}_min, sum({m}_avg * {m}_count) / nullif(sum({m}_count), 0) AS {m}_avg, "
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
