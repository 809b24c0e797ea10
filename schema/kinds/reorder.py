"""Reorder: the policy that rewrites chunks in the order of an index once they are no longer written to."""

from __future__ import annotations

from schema.kinds import policy
from schema.model import intervals
from schema.model.diff import TableDiff
from schema.model.names import ident, literal
from schema.model.objects import Reorder
from schema.model.step import Action, Step

PROCEDURE = "policy_reorder"


def steps(diff: TableDiff) -> list[Step]:
    """Make the live reorder policy the declared one; chunks that were reordered already stay as they are."""
    declared, canonical, live = (diff.declared.reorder, diff.canonical.reorder,
                              diff.present.table.reorder)
    where = f"{diff.name}.reorder"
    jobs = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    if declared is None or canonical is None:
        return policy.removal("remove_reorder_policy", diff, where, jobs)
    if not jobs or live is None:
        return [Step(Action.CREATE, where, _addition(diff.name, declared), "there is no policy",
                     transaction=diff.transaction)]
    steps = policy.fold(where, [job.id for job in jobs], diff.transaction)
    if canonical != live:
        steps.append(policy.alteration(where, jobs[0].id, key="index_name", canonical=(declared.index, canonical),
                                       live=(live.index, live), transaction=diff.transaction,
                                       timezone=jobs[0].timezone))
    return steps


def _addition(table: str, declared: Reorder) -> str:
    """SQL that adds the policy; only altering it gives it a schedule of its own."""
    call = f"add_reorder_policy({literal(ident(table))}, {literal(declared.index)})"
    settings = [f"schedule_interval => {intervals.sql(declared.schedule)}"] if declared.schedule else []
    settings += ["scheduled => false"] if declared.paused else []
    return f"SELECT (alter_job({', '.join([call, *settings])})).job_id" if settings else f"SELECT {call}"
