"""Reorder: the policy that rewrites chunks in the order of an index once they are no longer written to."""

from __future__ import annotations

from schema.kinds import policy
from schema.model import intervals
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Step
from schema.model.names import ident, literal

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
        # Only altering it gives it a schedule of its own.
        further = [f"schedule_interval => {intervals.sql(declared.schedule)}"] if declared.schedule else []
        sql = policy.added("add_reorder_policy", [literal(ident(diff.name)), literal(declared.index)], canonical,
                           further)
        return [Step(Action.CREATE, where, sql, "there is no policy", transaction=diff.transaction)]
    steps = policy.delete_duplicates(where, [job.id for job in jobs], diff.transaction)
    if canonical != live:
        steps.append(policy.alteration(
            where, jobs[0], limits={"index_name": canonical.index}, live_limits={"index_name": live.index},
            canonical=canonical, live=live, transaction=diff.transaction))
    return steps
