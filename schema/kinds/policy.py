"""Policies are jobs with an identity: altered in place, so that id, schedule and history stay; doubles are folded."""

from __future__ import annotations

from collections.abc import Sequence

from schema import intervals
from schema.names import ident, literal
from schema.objects import Compression, Retention
from schema.step import Step, Transaction


def folded(where: str, jobs: Sequence[int], transaction: Transaction) -> list[Step]:
    """Delete every job but the oldest."""
    return [Step(where, f"SELECT delete_job({job})", f"job {jobs[0]} does the same", transaction=transaction)
            for job in jobs[1:]]


def addition(function: str, table: str, limit: str, settings: Compression | Retention) -> str:
    """SQL that adds a policy, paused where it is declared so."""
    schedule = f", schedule_interval => {intervals.sql(settings.schedule)}" if settings.schedule else ""
    call = f"{function}({literal(ident(table))}, {intervals.sql(limit)}{schedule})"
    return f"SELECT (alter_job({call}, scheduled => false)).job_id" if settings.paused else f"SELECT {call}"


def alteration(where: str, job: int, *, key: str, wanted: tuple[str, Compression | Retention],
               live: tuple[str, Compression | Retention], transaction: Transaction) -> Step:
    """Alter a job's limit, schedule and pause in one call; both tuples are (limit, settings)."""
    (limit, new), (live_limit, old) = wanted, live
    arguments, whys = [str(job)], []
    if new.schedule != old.schedule and new.schedule is not None:
        arguments.append(f"schedule_interval => {intervals.sql(new.schedule)}")
        whys.append(f"it runs every {old.schedule}")
    if new.paused != old.paused:
        arguments.append(f"scheduled => {'false' if new.paused else 'true'}")
        whys.append("it is paused" if old.paused else "it is not paused")
    if not intervals.same(limit, live_limit):
        value = limit.strip() if intervals.length(limit)[0] == "integer" else f'"{limit}"'
        arguments.append(f"config => jsonb_set(config, '{{{key}}}', {literal(value)})")
        whys.append(f"{key} is {live_limit}")
    sql = f"SELECT (alter_job({', '.join(arguments)})).job_id"
    if not intervals.same(limit, live_limit):
        sql += f" FROM timescaledb_information.jobs WHERE job_id = {job}"
    return Step(where, sql, "; ".join(whys), transaction=transaction)
