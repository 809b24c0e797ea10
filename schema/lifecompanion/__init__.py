"""LifeCompanion's database as the specification has it: one file for each table, one for the aggregates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Literal

from schema.lifecompanion.activity_classifications import ACTIVITY_CLASSIFICATIONS
from schema.lifecompanion.aggregates import ACTIVITY_DAILY, READINGS_DAILY, READINGS_HOURLY
from schema.lifecompanion.devices import DEVICES
from schema.lifecompanion.environmental_readings import ENVIRONMENTAL_READINGS
from schema.lifecompanion.notifications import NOTIFICATIONS
from schema.lifecompanion.users import USERS
from schema.model.objects import Object, Table

Timestamps = Literal["timestamp", "timestamptz"]


@cache
def declared(timestamps: Timestamps = "timestamp") -> tuple[Object, ...]:
    """Return the whole database, each object after its dependencies; `timestamptz` changes every timestamp to it."""
    return (*tables(timestamps), READINGS_HOURLY, READINGS_DAILY, ACTIVITY_DAILY)


def tables(timestamps: Timestamps = "timestamp") -> tuple[Table, ...]:
    """Return the tables alone."""
    declarations = (USERS, DEVICES, ENVIRONMENTAL_READINGS, ACTIVITY_CLASSIFICATIONS, NOTIFICATIONS)
    return declarations if timestamps == "timestamp" else tuple(_with_time_zone(table) for table in declarations)


def _with_time_zone(table: Table) -> Table:
    columns = tuple(replace(column, type="timestamptz") if column.type == "timestamp" else column
                    for column in table.columns)
    return replace(table, columns=columns)
