"""Retention: the policy that drops chunks whose rows are all older than the limit, or that were created before it."""

from __future__ import annotations

from dataclasses import replace

from schema.kinds import policy
from schema.model import intervals
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step
from schema.model.objects import Retention

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
    if not jobs or live is None:
        sql = policy.addition("add_retention_policy", diff.name, _limits(declared), canonical)
        return [Step(Action.CREATE, where, sql, "there is no policy", hazards, diff.transaction, cost)]
    steps = policy.delete_duplicates(where, [job.id for job in jobs], diff.transaction)
    if canonical != live:
        step = policy.alteration(where, jobs[0], limits=_limits(canonical), live_limits=_limits(live),
                                 canonical=canonical, live=live, transaction=diff.transaction)
        steps.append(replace(step, hazards=hazards, cost=cost) if _drops_more(canonical, live) else step)
    return steps


def _limits(retention: Retention) -> dict[str, str]:
    return policy.limit("drop", retention.drop_after, retention.drop_created_before)


def _cost(diff: TableDiff, declared: Retention) -> str:
    weight = diff.weight
    if not weight.expired_chunks:
        return ""
    live = diff.present.table.hypertable
    limit = declared.drop_after or f"{declared.drop_created_before} (the chunk)"
    if live is None or not weight.chunks:
        return f"rows that are older than {limit} already will be dropped"
    unknown = limit.strip().isdigit() and live.now is None
    return f"{'up to ' if unknown else ''}{weight.expired_chunks} chunks will be dropped"


def _drops_more(canonical: Retention, live: Retention) -> bool:
    """Whether the change makes the policy drop what it keeps today."""
    new, old = _limits(canonical), _limits(live)
    if new.keys() != old.keys():
        return True
    shorter = any(intervals.fixed_length(new[key]) < intervals.fixed_length(old[key]) for key in new)
    return shorter or (live.paused and not canonical.paused)
