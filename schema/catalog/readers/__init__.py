"""One reader for each kind of object: names of one schema in, live objects by name out, in a fixed number of
queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.readers import aggregates, enums, functions, jobs, tables, views
from schema.model.live import Live
from schema.model.objects import ContinuousAggregate, Enum, Function, Job, Object, Table, View

# (connection, capabilities, schema, names) -> the live ones by name.
Reader = Callable[[Connection[Any], Capabilities, str, Sequence[str]], Mapping[str, Live]]
READERS: Mapping[type[Object], Reader] = {
    ContinuousAggregate: aggregates.read,
    Enum: enums.read, Function: functions.read, Table: tables.read, View: views.read,
    Job: jobs.read}
