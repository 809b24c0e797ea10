"""The refresh policies of a continuous aggregate: jobs with an identity, altered in place, matched by their windows."""

from __future__ import annotations

from typing import Any

from schema.aggregates import refreshes
from schema.aggregates.live_aggregate import AggregateDiff
from schema.kinds import policy
from schema.model import intervals, job_settings
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.jobs import BATCHES, PolicyJob, refresh_of
from schema.model.names import ident, literal
from schema.model.objects import Refresh

PROCEDURE = "policy_refresh_continuous_aggregate"


def steps(diff: AggregateDiff) -> list[Step]:
    """Make the live refresh policies the declared ones; their jobs' numbers, histories and next runs stay.

    Where at least one is declared, others of other windows stay in place (`left_in_place`).
    """
    where, jobs = f"{diff.name}.refresh", _jobs(diff)
    if not refreshes.declared(diff.declared):
        return [Step(Action.DROP, where, f"SELECT delete_job({job.id})", "nobody declares the policy") for job in jobs]
    if not jobs:
        return [Step(Action.CREATE, where, _addition(literal(ident(diff.name)), wanted), "there is no policy")
                for wanted in refreshes.declared(diff.canonical)]
    steps = [Step(Action.DROP, where, f"SELECT delete_job({job.id})", f"job {kept.id} does the same",
                  transaction=Transaction.SHARED) for job, kept in _doubles(diff)]
    steps += [step for step in _undeclared(diff) if not set(step.hazards) - diff.allowed]
    for wanted, live in refreshes.matched(refreshes.declared(diff.declared), [refresh_of(job) for job in jobs]):
        if wanted and live is None:
            steps.append(Step(Action.CREATE, where, _addition(literal(ident(diff.name)), wanted),
                              "there is no policy of this window"))
        elif wanted and live and (canonical := refreshes.settled(wanted, live)) != live:
            job = next(job for job in jobs if refresh_of(job) == live)
            steps.append(policy.alteration(where, job, limits=_config(canonical), live_limits=_config(live),
                                           canonical=canonical, live=live, transaction=Transaction.SHARED))
    return steps


def left_in_place(diff: AggregateDiff) -> list[str]:
    """Warn of the policies of other windows that nobody declares."""
    return [f"{diff.name}: its refresh policy {step.why} is not declared and was left in place; declare it in "
            f"further_refreshes, or allow {step.hazards[0]} to drop it"
            for step in _undeclared(diff) if set(step.hazards) - diff.allowed]


def _undeclared(diff: AggregateDiff) -> list[Step]:
    """The steps that would remove the policies of other windows."""
    if not refreshes.declared(diff.declared) or diff.live is None:
        return []
    doubles = [double.id for double, _ in _doubles(diff)]
    pairs = refreshes.matched(refreshes.declared(diff.declared), [refresh_of(job) for job in _jobs(diff)])
    return [Step(Action.DROP, f"{diff.name}.refresh", f"SELECT delete_job({job.id})", job.window, (Hazard.DROPS_JOB,))
            for job, (wanted, _) in zip(_jobs(diff), pairs, strict=False) if wanted is None and job.id not in doubles]


def _jobs(diff: AggregateDiff) -> list[PolicyJob]:
    return [job for job in diff.present.jobs if job.procedure == PROCEDURE]


def _doubles(diff: AggregateDiff) -> list[tuple[PolicyJob, PolicyJob]]:
    """Jobs of the same window as an older one, each with that."""
    first: dict[str, PolicyJob] = {}
    return [(job, first[job.window]) for job in _jobs(diff) if first.setdefault(job.window, job) is not job]


def _addition(name: str, wanted: Refresh) -> str:
    arguments = [name, f"start_offset => {_offset(wanted.start)}", f"end_offset => {_offset(wanted.end)}",
                 f"schedule_interval => {intervals.sql(wanted.schedule)}"]
    arguments += [job_settings.argument(key, getattr(wanted, key)) for key in BATCHES
                  if getattr(wanted, key) is not None]
    return policy.added("add_continuous_aggregate_policy", arguments, wanted)


def _config(refresh: Refresh) -> dict[str, Any]:
    """What the job's config says of the policy, with the keys that are to be there."""
    batches = {key: getattr(refresh, key) for key in BATCHES if getattr(refresh, key) is not None}
    return {"start_offset": refresh.start, "end_offset": refresh.end, **batches}


def _offset(text: str | None) -> str:
    return "NULL" if text is None else intervals.sql(text)
