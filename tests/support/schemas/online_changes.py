"""A database with rows, and every online change to it, for tests with concurrent writers and with crashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from schema.model.objects import (
    Check,
    Column,
    Compression,
    ContinuousAggregate,
    Enum,
    ForeignKey,
    Hypertable,
    Index,
    Key,
    Object,
    Refresh,
    Retention,
    Table,
    View,
)

ROOMS = Table(
    "rooms",
    (Column("id", "bigint", null=False, serial=True), Column("name", "varchar(50)", null=False),
     Column("email", "text"), Column("floor", "integer", default="0"), Column("note", "text"),
     Column("updated_at", "timestamp", null=False, default="now()")),
    keys=(Key("rooms_pkey", ("id",), primary=True),),
    checks=(Check("rooms_floor_real", "floor BETWEEN -5 AND 100"),),
    indexes=(Index("rooms_by_name", ("name",)), Index("rooms_by_floor", ("floor", "name"))))
SAMPLES = Table(
    "samples",
    (Column("room_id", "bigint", null=False), Column("at", "timestamp", null=False), Column("value", "numeric(8,2)"),
     Column("quality", "integer", default="100")),
    checks=(Check("samples_quality_percent", "quality BETWEEN 0 AND 100"),),
    indexes=(Index("samples_by_room", ("room_id", "at DESC")), Index("samples_by_value", ("value",))),
    hypertable=Hypertable("at", "7 days"), retention=Retention("1 year"))
METERS = Table(
    "meters",
    (Column("meter_id", "bigint", null=False), Column("at", "timestamp", null=False), Column("kwh", "numeric(12,3)"),
     Column("phase", "integer")),
    indexes=(Index("meters_by_meter", ("meter_id", "at DESC")),), hypertable=Hypertable("at", "7 days"),
    compression=Compression("30 days", ("meter_id",), ("at DESC",)), retention=Retention("2 years"))
HOURLY = ContinuousAggregate(
    "samples_hourly", "SELECT room_id, time_bucket('1 hour', at) AS bucket, avg(value) AS value FROM samples "
                      "GROUP BY room_id, bucket",
    refresh=Refresh("7 days", "1 hour"), indexes=(Index("samples_hourly_by_room", ("room_id", "bucket DESC")),))
UPSTAIRS = View("upstairs", "SELECT id, name FROM rooms WHERE floor > 0")
MOODS = Enum("mood", ("calm", "busy"))
BEFORE: tuple[Object, ...] = (MOODS, ROOMS, SAMPLES, METERS, HOURLY, UPSTAIRS)
CHUNKS = 5
FILLED = (
    "INSERT INTO rooms (name, email, floor) SELECT 'room ' || n, n || '@example.org', n % 9 "
    "FROM generate_series(1, 200) n",
    "INSERT INTO samples SELECT 1 + n % 200, date_trunc('hour', localtimestamp) - n * interval '20 minutes', n % 90, "
    f"90 FROM generate_series(0, {(CHUNKS - 1) * 7 * 72}) n",
    "INSERT INTO meters SELECT 1 + n % 20, date_trunc('hour', localtimestamp) - n * interval '20 minutes', n, n % 3 "
    f"FROM generate_series(0, {(CHUNKS - 1) * 7 * 72}) n")
COMPRESSED = "SELECT compress_chunk(c) FROM show_chunks('meters', older_than => interval '14 days') c"

Change = Callable[[dict[str, Any]], None]


def _edit(name: str, **parts: Callable[[Any], Any]) -> Change:
    """Replace parts of one object, each by its function's result."""
    def change(objects: dict[str, Any]) -> None:
        value = objects[name]
        objects[name] = replace(value, **{part: edit(getattr(value, part)) for part, edit in parts.items()})
    return change


def _with(new: Any) -> Callable[[Any], Any]:
    """Append to a tuple, or replace the element of the same name."""
    def replaced(those: tuple[Any, ...]) -> tuple[Any, ...]:
        if new.name not in [part.name for part in those]:
            return (*those, new)
        return tuple(new if part.name == new.name else part for part in those)
    return replaced


def _column(name: str, **changed: Any) -> Callable[[Any], Any]:
    return lambda those: tuple(replace(column, **changed) if column.name == name else column for column in those)


def _declare(new: Object) -> Change:
    return lambda objects: objects.update({new.name: new})


# What every server can do.
PLAIN: Mapping[str, Change] = {
    "column added": _edit("rooms", columns=_with(Column("level", "integer", default="1"))),
    "column added to a hypertable": _edit("samples", columns=_with(Column("unit", "text"))),
    "column default": _edit("rooms", columns=_column("floor", default="1")),
    "column type widened": _edit("rooms", columns=_column("name", type="varchar(80)")),
    "column NOT NULL": _edit("rooms", columns=_column("email", null=False)),
    "check added": _edit("rooms", checks=_with(Check("rooms_name_given", "length(name) > 0"))),
    "check replaced": _edit("rooms", checks=_with(Check("rooms_floor_real", "floor BETWEEN -9 AND 200"))),
    "check added to a hypertable": _edit("samples", checks=_with(Check("samples_value_real", "value < 100000"))),
    "foreign key added to a hypertable": _edit(
        "samples", foreign_keys=_with(ForeignKey("samples_room_fkey", ("room_id",), "rooms"))),
    "unique key added": _edit("rooms", keys=_with(Key("rooms_email_key", ("email",)))),
    "index added": _edit("rooms", indexes=_with(Index("rooms_by_note", ("lower(note)",), where="note IS NOT NULL"))),
    "index added to a hypertable": _edit("samples", indexes=_with(Index("samples_by_quality", ("quality", "at")))),
    "index replaced": _edit("rooms", indexes=_with(Index("rooms_by_floor", ("floor DESC", "updated_at")))),
    "index replaced on a hypertable": _edit("samples", indexes=_with(Index("samples_by_value", ("value", "at")))),
    "index renamed": _edit("rooms", indexes=lambda those: (replace(those[0], name="rooms_named"), *those[1:])),
    "comments": _edit("samples", comment=lambda _: "What sensors say", columns=_column("value", comment="As sent")),
    "chunk interval": _edit("samples", hypertable=lambda hypertable: replace(hypertable, chunk="1 day")),
    "table that refers to one in use": _declare(Table(
        "visits", (Column("id", "bigint", null=False, serial=True), Column("room_id", "bigint", null=False)),
        keys=(Key("visits_pkey", ("id",), primary=True),),
        foreign_keys=(ForeignKey("visits_room_fkey", ("room_id",), "rooms"),),
        indexes=(Index("visits_by_room", ("room_id",)),))),
    "view changed": _edit("upstairs", query=lambda _: "SELECT id, name FROM rooms WHERE floor > 1"),
    "enum value added": _edit("mood", values=lambda those: (*those, "asleep")),
}
# What the community edition can do besides.
COMMUNITY: Mapping[str, Change] = {
    "retention policy": _edit("samples", retention=lambda _: Retention("2 years", "12 hours")),
    "columnstore policy": _edit("meters", compression=lambda policy: replace(policy, after="20 days")),
    "columnstore settings": _edit("meters", compression=lambda policy: replace(policy, order_by=("at DESC", "phase"))),
    "columnstore enabled": _edit(
        "samples", compression=lambda _: Compression("60 days", ("room_id",), ("at DESC",))),
    "column added under the columnstore": _edit("meters", columns=_with(Column("tariff", "integer"))),
    "index added under the columnstore": _edit("meters", indexes=_with(Index("meters_by_phase", ("phase", "at")))),
    "aggregate real-time": _edit("samples_hourly", real_time=lambda _: True),
    "aggregate refresh policy": _edit("samples_hourly", refresh=lambda _: Refresh("14 days", "2 hours")),
    "index added to an aggregate": _edit(
        "samples_hourly", indexes=_with(Index("samples_hourly_by_value", ("value", "bucket")))),
    "aggregate column added": _edit(
        "samples_hourly", query=lambda query: query.replace(" FROM", ", max(value) AS most FROM")),
}
# With the columnstore on, constraints cannot be validated later, so that these do not go together in one plan.
EXCLUDED_TOGETHER = ("columnstore enabled",)


def after(*names: str) -> tuple[Object, ...]:
    """Return the objects with these changes, each after its dependencies."""
    objects = {value.name: value for value in BEFORE}
    for name in names:
        {**PLAIN, **COMMUNITY}[name](objects)
    return tuple(objects.values())


def everything() -> tuple[Object, ...]:
    """Return the objects with all changes that fit into one plan."""
    return after(*(name for name in (*PLAIN, *COMMUNITY) if name not in EXCLUDED_TOGETHER))
