"""Policies over TIMESTAMP columns: TimescaleDB takes the job owner's local time for the present; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from schema.aggregates.live_aggregate import AggregateDiff, bucket_of
from schema.errors import UnsafeChangeError
from schema.model.change.diff import Diff, TableDiff
from schema.model.change.step import Action, Step

UTC = frozenset({"utc", "etc/utc", "gmt", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu", "universal",
                 "etc/universal", "gmt0", "etc/gmt0", "greenwich", "etc/greenwich"})
_LOCAL = re.compile(r"timestamp(?:\s*\(\d\))?(?: without time zone)?\Z", re.I)


def limited(diffs: Sequence[Diff[Any, Any]]) -> list[str]:
    """List the tables and aggregates over TIMESTAMP columns whose declared retention goes by the rows' time.

    None on the embedded server: it runs no jobs by itself, and takes no second connection that could be asked.
    """
    return [diff.name for diff in diffs if isinstance(diff, TableDiff | AggregateDiff)
            and not diff.context.single_process
            and (retention := diff.declared.retention) is not None and retention.drop_after is not None
            and _LOCAL.match(_time_type(diff))]


def warnings(names: Sequence[str], steps: Sequence[Step], zone: str, login: str) -> list[str]:
    """Warn of retention that drops rows too early or too late since the jobs' present is in `zone`.

    Raises UnsafeChangeError where a step would create such a policy or change it.
    """
    if zone.lower() in UTC:
        return []
    lines = [f"{name}.retention: its time column has no time zone, and TimescaleDB compares it with the present in "
             f"{zone}, the time zone of jobs of {login}, so that it drops rows at another age than declared; run "
             f"ALTER ROLE {login} SET timezone = 'UTC', or make the column timestamptz" for name in names]
    touched = {step.object for step in steps if step.action in (Action.CREATE, Action.ALTER)}
    refused = [line for line in lines if line.partition(":")[0] in touched]
    if refused:
        raise UnsafeChangeError(refused[0])
    return lines


def _time_type(diff: TableDiff | AggregateDiff) -> str:
    """The type of the column that a table or an aggregate is partitioned by."""
    if isinstance(diff, TableDiff):
        hypertable = diff.canonical.hypertable
        return next((column.type for column in diff.canonical.columns
                     if hypertable is not None and column.name == hypertable.time), "")
    created = diff.context.scratch or diff.live
    name = bucket_of(diff.canonical).name
    return next((column.type for column in created.columns if column.name == name), "") if created else ""
