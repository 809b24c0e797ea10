"""LifeCompanion's database as the specification has it, one file per table."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Literal

from schema.lifecompanion.activity_classifications import ACTIVITY_CLASSIFICATIONS
from schema.lifecompanion.devices import DEVICES
from schema.lifecompanion.environmental_readings import ENVIRONMENTAL_READINGS
from schema.lifecompanion.notifications import NOTIFICATIONS
from schema.lifecompanion.users import USERS
from schema.objects import Object, Table

Timestamps = Literal["timestamp", "timestamptz"]


@cache
def declared(timestamps: Timestamps = "timestamp") -> tuple[Object, ...]:
    """The whole database, each object after those it refers to; `timestamptz` makes every timestamp one."""
    tables = (USERS, DEVICES, ENVIRONMENTAL_READINGS, ACTIVITY_CLASSIFICATIONS, NOTIFICATIONS)
    return tables if timestamps == "timestamp" else tuple(_with_time_zone(table) for table in tables)


def _with_time_zone(table: Table) -> Table:
    columns = tuple(replace(column, type="timestamptz") if column.type == "timestamp" else column
                    for column in table.columns)
    return replace(table, columns=columns)
