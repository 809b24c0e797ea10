"""Retention: the policy that drops chunks whose rows are all older than the limit."""

from __future__ import annotations

from dataclasses import replace

from schema import intervals
from schema.kinds import policy
from schema.live import Comparison
from schema.names import ident, literal
from schema.step import Hazard, Step

PROCEDURE = "policy_retention"


def steps(comparison: Comparison) -> list[Step]:
    """Make the live retention policy the declared one; a limit that rows have passed already deletes data."""
    declared, wanted = comparison.declared.retention, comparison.wanted.retention
    live = comparison.present.table.retention
    where, table = f"{comparison.name}.retention", literal(ident(comparison.name))
    jobs = [job.id for job in comparison.present.jobs if job.procedure == PROCEDURE]
    if declared is None or wanted is None:
        return [Step(where, f"SELECT remove_retention_policy({table})", "nobody declares the policy",
                     transaction=comparison.transaction)] if jobs else []
    expired = comparison.weight.expired_chunks
    hazards = (Hazard.DELETES_DATA,) if expired else ()
    cost = f"{expired} chunks will be dropped" if expired else ""
    if live is None:
        sql = policy.addition("add_retention_policy", comparison.name, declared.drop_after, declared)
        return [Step(where, sql, "there is no policy", hazards, comparison.transaction, cost)]
    found = policy.folded(where, jobs, comparison.transaction)
    if wanted != live:
        step = policy.alteration(where, jobs[0], key="drop_after", wanted=(declared.drop_after, wanted),
                                 live=(live.drop_after, live), transaction=comparison.transaction)
        found.append(replace(step, hazards=hazards, cost=cost) if _drops_more(comparison) else step)
    return found


def _drops_more(comparison: Comparison) -> bool:
    """Whether the change makes the policy drop what it keeps today."""
    wanted, live = comparison.wanted.retention, comparison.present.table.retention
    if wanted is None or live is None:
        return False
    shorter = intervals.fixed_length(wanted.drop_after) < intervals.fixed_length(live.drop_after)
    return shorter or (live.paused and not wanted.paused)
