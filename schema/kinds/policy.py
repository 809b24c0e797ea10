"""Policies are background jobs: altered in place, so that id, schedule and history stay; doubles are deleted."""

from __future__ import annotations

import json
from collections.abc import Sequence

from schema.model import intervals
from schema.model.diff import TableDiff
from schema.model.live import PolicyJob
from schema.model.names import ident, literal
from schema.model.objects import Compression, Reorder, Retention
from schema.model.step import Action, Step, Transaction


def fold(where: str, jobs: Sequence[int], transaction: Transaction) -> list[Step]:
    """Delete every job but the oldest."""
    return [Step(Action.DROP, where, f"SELECT delete_job({job})", f"job {jobs[0]} does the same",
                 transaction=transaction)
            for job in jobs[1:]]


def addition(function: str, table: str, limit: str, settings: Compression | Retention) -> str:
    """SQL that adds a policy, paused where it is declared so."""
    schedule = f", schedule_interval => {intervals.sql(settings.schedule)}" if settings.schedule else ""
    call = f"{function}({literal(ident(table))}, {intervals.sql(limit)}{schedule})"
    return f"SELECT (alter_job({call}, scheduled => false)).job_id" if settings.paused else f"SELECT {call}"


def removal(function: str, diff: TableDiff, where: str, jobs: Sequence[PolicyJob]) -> list[Step]:
    """Remove a policy that nobody declares, with its doubles; no step where there is no such policy."""
    if not jobs:
        return []
    doubles = fold(where, [job.id for job in jobs], diff.transaction)
    return [*doubles, Step(Action.DROP, where, f"SELECT {function}({literal(ident(diff.name))})",
                           "nobody declares the policy",
                           transaction=diff.transaction)]


def alteration(where: str, job: int, *, key: str, canonical: tuple[str, Compression | Retention | Reorder],
               live: tuple[str | None, Compression | Retention | Reorder], transaction: Transaction,
               timezone: str | None = None) -> Step:
    """Alter a job's limit, schedule and pause in one call; both tuples are (limit, settings).

    `timezone` is the job's own: a call that does not repeat it would take it away.
    """
    (limit, new), (live_limit, old) = canonical, live
    arguments, whys = [str(job)], []
    if new.schedule != old.schedule and new.schedule is not None:
        arguments.append(f"schedule_interval => {intervals.sql(new.schedule)}")
        whys.append(f"it runs every {old.schedule}")
    if new.paused != old.paused:
        arguments.append(f"scheduled => {'false' if new.paused else 'true'}")
        whys.append("it is paused" if old.paused else "it is not paused")
    same = limit == live_limit if isinstance(new, Reorder) else intervals.same(limit, live_limit)
    if not same:
        arguments.append(f"config => {_config(key, limit, live_limit, new)}")
        whys.append(f"{key} is {live_limit}")
    if timezone is not None:
        arguments.append(f"timezone => {literal(timezone)}")
    sql = f"SELECT (alter_job({', '.join(arguments)})).job_id"
    if not same:
        sql += f" FROM timescaledb_information.jobs WHERE job_id = {job}"
    return Step(Action.ALTER, where, sql, "; ".join(whys), transaction=transaction)


def _config(key: str, limit: str, live_limit: str | None, new: Compression | Retention | Reorder) -> str:
    """The job's config with another limit; one by the chunks' time of creation gives way to one by their rows."""
    number = not isinstance(new, Reorder) and intervals.length(limit)[0] == "integer"
    value = limit.strip() if number else json.dumps(limit)
    if live_limit is None:
        older = key.removesuffix("_after") + "_created_before"
        return f"(config - {literal(older)}) || {literal(f'{{{json.dumps(key)}: {value}}}')}"
    return f"jsonb_set(config, '{{{key}}}', {literal(value)})"
