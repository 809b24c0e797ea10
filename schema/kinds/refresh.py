"""The refresh policy of a continuous aggregate: a job with an identity, altered in place."""

from __future__ import annotations

import json

from schema.aggregates.live import AggregateDiff
from schema.kinds import policy
from schema.model import intervals
from schema.model.live import PolicyJob
from schema.model.names import ident, literal
from schema.model.objects import Refresh
from schema.model.step import Action, Step, Transaction

PROCEDURE = "policy_refresh_continuous_aggregate"


def steps(diff: AggregateDiff) -> list[Step]:
    """Make the live refresh policy the declared one; its job's number, history and next run stay."""
    declared, canonical, live = (diff.declared.refresh, diff.canonical.refresh,
                              diff.present.object.refresh)
    where, name = f"{diff.name}.refresh", literal(ident(diff.name))
    policies = [job for job in diff.present.jobs if job.procedure == PROCEDURE]
    jobs = [job.id for job in policies]
    if declared is None or canonical is None:
        return [Step(Action.DROP, where, f"SELECT delete_job({job})", "nobody declares the policy") for job in jobs]
    if not jobs or live is None:
        return [Step(Action.CREATE, where, _addition(name, declared), "there is no policy")]
    steps = policy.fold(where, jobs, Transaction.SHARED)
    return [*steps, _alteration(where, policies[0], declared, canonical, live)] if canonical != live else steps


def _addition(name: str, declared: Refresh) -> str:
    call = (f"add_continuous_aggregate_policy({name}, start_offset => {_offset(declared.start)}, "
            f"end_offset => {_offset(declared.end)}, schedule_interval => {intervals.sql(declared.schedule)})")
    return f"SELECT (alter_job({call}, scheduled => false)).job_id" if declared.paused else f"SELECT {call}"


def _alteration(where: str, job: PolicyJob, declared: Refresh, canonical: Refresh, live: Refresh) -> Step:
    arguments, whys = [str(job.id)], []
    if canonical.schedule != live.schedule:
        arguments.append(f"schedule_interval => {intervals.sql(declared.schedule)}")
        whys.append(f"it runs every {live.schedule}")
    if canonical.paused != live.paused:
        arguments.append(f"scheduled => {'false' if canonical.paused else 'true'}")
        whys.append("it is paused" if live.paused else "it is not paused")
    changed = {f"{key}_offset": _json(getattr(declared, key)) for key in ("start", "end")
               if getattr(canonical, key) != getattr(live, key)}
    sql = ""
    if changed:
        arguments.append(f"config => config || {literal(json.dumps(changed))}")
        whys.append(f"it reaches from {live.start or 'the beginning'} to {live.end or 'now'}")
        sql = f" FROM timescaledb_information.jobs WHERE job_id = {job.id}"
    if job.timezone is not None:  # a call that does not repeat it would take it away
        arguments.append(f"timezone => {literal(job.timezone)}")
    return Step(Action.ALTER, where, f"SELECT (alter_job({', '.join(arguments)})).job_id{sql}", "; ".join(whys))


def _offset(text: str | None) -> str:
    return "NULL" if text is None else intervals.sql(text)


def _json(text: str | None) -> str | int | None:
    if text is None or intervals.length(text)[0] == "interval":
        return text
    return int(text)
