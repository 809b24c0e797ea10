"""Retention: the policy that drops chunks whose rows are all older than the limit."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import policy
from schema.model import intervals
from schema.model.diff import TableDiff
from schema.model.objects import Retention
from schema.model.step import Action, Hazard, Step

PROCEDURE = "policy_retention"


def steps(diff: TableDiff) -> list[Step]:
    """Make the live retention policy the declared one; a limit that rows have passed already deletes data."""
    declared, canonical = diff.declared.retention, diff.canonical.retention
    live = diff.present.table.retention
    where = f"{diff.name}.retention"
    jobs = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    if declared is None or canonical is None:
        return policy.removal("remove_retention_policy", diff, where, jobs)
    hazards = (Hazard.DELETES_DATA,) if diff.weight.expired_chunks else ()
    cost = _cost(diff, declared)
    if not jobs:
        sql = policy.addition("add_retention_policy", diff.name, declared.drop_after, declared)
        return [Step(Action.CREATE, where, sql, "there is no policy", hazards, diff.transaction, cost)]
    steps = policy.fold(where, [job.id for job in jobs], diff.transaction)
    if canonical != live:
        # A policy that drops chunks by their time of creation has no limit to compare.
        first, limit = jobs[0], live.drop_after if live else None
        step = policy.alteration(where, first.id, key="drop_after", canonical=(declared.drop_after, canonical),
                                 live=(limit, live or Retention("", first.schedule, first.paused)),
                                 transaction=diff.transaction, timezone=first.timezone)
        steps.append(replace(step, hazards=hazards, cost=cost) if _drops_more(diff) else step)
    return steps


def _cost(diff: TableDiff, declared: Retention) -> str:
    weight = diff.weight
    if not weight.expired_chunks:
        return ""
    live = diff.present.table.hypertable
    if live is None or not weight.chunks:
        return f"rows that are older than {declared.drop_after} already will be dropped"
    unknown = declared.drop_after.strip().isdigit() and live.now is None
    return f"{'up to ' if unknown else ''}{weight.expired_chunks} chunks will be dropped"


def _drops_more(diff: TableDiff) -> bool:
    """Whether the change makes the policy drop what it keeps today."""
    canonical, live = diff.canonical.retention, diff.present.table.retention
    if canonical is None or live is None:
        return True
    shorter = intervals.fixed_length(canonical.drop_after) < intervals.fixed_length(live.drop_after)
    return shorter or (live.paused and not canonical.paused)
