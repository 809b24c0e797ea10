"""Retention: the policy that drops chunks whose rows are all older than the limit."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import policy
from schema.model import intervals
from schema.model.live import Comparison
from schema.model.objects import Retention
from schema.model.step import Action, Hazard, Step

PROCEDURE = "policy_retention"


def steps(comparison: Comparison) -> list[Step]:
    """Make the live retention policy the declared one; a limit that rows have passed already deletes data."""
    declared, wanted = comparison.declared.retention, comparison.wanted.retention
    live = comparison.present.table.retention
    where = f"{comparison.name}.retention"
    jobs = [job for job in comparison.present.jobs if job.procedure == PROCEDURE]
    if declared is None or wanted is None:
        return policy.removal("remove_retention_policy", comparison, where, jobs)
    hazards = (Hazard.DELETES_DATA,) if comparison.weight.expired_chunks else ()
    cost = _cost(comparison, declared)
    if not jobs:
        sql = policy.addition("add_retention_policy", comparison.name, declared.drop_after, declared)
        return [Step(Action.CREATE, where, sql, "there is no policy", hazards, comparison.transaction, cost)]
    found = policy.folded(where, [job.id for job in jobs], comparison.transaction)
    if wanted != live:
        # A policy that drops chunks by their time of creation has no limit that could be told.
        first, limit = jobs[0], live.drop_after if live else None
        step = policy.alteration(where, first.id, key="drop_after", wanted=(declared.drop_after, wanted),
                                 live=(limit, live or Retention("", first.schedule, first.paused)),
                                 transaction=comparison.transaction, timezone=first.timezone)
        found.append(replace(step, hazards=hazards, cost=cost) if _drops_more(comparison) else step)
    return found


def _cost(comparison: Comparison, declared: Retention) -> str:
    weight = comparison.weight
    if not weight.expired_chunks:
        return ""
    live = comparison.present.table.hypertable
    if live is None or not weight.chunks:
        return f"rows that are older than {declared.drop_after} already will be dropped"
    unknown = declared.drop_after.strip().isdigit() and live.now is None
    return f"{'up to ' if unknown else ''}{weight.expired_chunks} chunks will be dropped"


def _drops_more(comparison: Comparison) -> bool:
    """Whether the change makes the policy drop what it keeps today."""
    wanted, live = comparison.wanted.retention, comparison.present.table.retention
    if wanted is None or live is None:
        return True
    shorter = intervals.fixed_length(wanted.drop_after) < intervals.fixed_length(live.drop_after)
    return shorter or (live.paused and not wanted.paused)
