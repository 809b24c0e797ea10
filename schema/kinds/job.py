"""User-defined jobs: added, altered in place so that number and history stay; doubles of the oldest are deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from schema.capabilities import JOB_NAMES
from schema.catalog.readers.timescaledb import jobs
from schema.errors import DeclarationError
from schema.kinds.kind import Drop, Kind
from schema.model import intervals, job_settings
from schema.model.change.diff import Diff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.jobs import LiveJob
from schema.model.names import ident, literal
from schema.model.objects import Job

# How adoption tells jobs of one procedure apart that have no names of their own.
NUMBERED = re.compile(r"_\d+\Z")
JobDiff = Diff[Job, LiveJob]


def steps(diff: JobDiff) -> tuple[list[Step], list[str]]:
    """Make the live job the declared one; a job is its procedure, so another procedure is another job."""
    declared, live = diff.declared, diff.live
    if live is None:
        return [_add(diff, "there is no job")], []
    if live.object.procedure != diff.canonical.procedure:
        why = f"the job runs {live.object.procedure}, which cannot be changed in place"
        gone = (live.id, *live.doubles)
        return [*(Step(Action.DROP, declared.full_name, f"SELECT delete_job({number})", why,
                       (Hazard.DROPS_JOB, Hazard.LOSES_HISTORY)) for number in gone), _add(diff, why)], []
    steps = [Step(Action.DROP, declared.full_name, f"SELECT delete_job({double})", f"job {live.id} does the same",
                  transaction=Transaction.OWN) for double in live.doubles]
    changes = _changes(diff)
    if changes:
        arguments = [str(live.id), *(argument for argument, _ in changes)]
        timezone = diff.canonical.timezone
        if timezone and not any(argument.startswith("timezone ") for argument in arguments):
            arguments.append(f"timezone => {literal(timezone)}")  # a call that does not repeat it takes it away
        steps.append(Step(Action.ALTER, declared.full_name, f"SELECT (alter_job({', '.join(arguments)})).job_id",
                          "; ".join(why for _, why in changes)))
    return steps, []


def _add(diff: JobDiff, why: str) -> Step:
    declared = diff.declared
    arguments = [literal(ident(declared.procedure)), intervals.sql(declared.schedule)]
    if declared.config is not None:
        arguments.append(f"config => {literal(declared.config)}")
    if declared.paused:
        arguments.append("scheduled => false")
    if not declared.fixed_schedule:
        arguments.append("fixed_schedule => false")
    arguments += [job_settings.argument(name, getattr(declared, name)) for name in ("initial_start", "timezone")
                  if getattr(declared, name)]
    if declared.check is not None:
        arguments.append(f"check_config => {literal(ident(declared.check))}")
    if diff.context.timescaledb >= JOB_NAMES:
        arguments.append(f"job_name => {literal(declared.name)}")
    call = f"add_job({', '.join(arguments)})"
    limits = _limits(declared)
    if not limits:
        return Step(Action.CREATE, declared.full_name, f"SELECT {call}", why)
    if declared.timezone:
        limits.append(f"timezone => {literal(declared.timezone)}")
    return Step(Action.CREATE, declared.full_name, f"SELECT (alter_job({', '.join([call, *limits])})).job_id", why)


def _limits(job: Job) -> list[str]:
    """The arguments that only alter_job takes."""
    return [job_settings.argument(name, getattr(job, name)) for name in ("max_runtime", "retry_period", "max_retries")
            if getattr(job, name) is not None]


def _changes(diff: JobDiff) -> list[tuple[str, str]]:
    """The arguments of alter_job, each with its reason."""
    declared, canonical, live = diff.declared, diff.canonical, diff.present.object
    changes: list[tuple[str, str]] = []
    # A job without a name is identified by its procedure, and needs no name where that is the declared one.
    goes_by = live.name if diff.present.named else live.procedure.rpartition(".")[2]
    if diff.context.timescaledb >= JOB_NAMES and canonical.name != goes_by and not (
            not diff.present.named and NUMBERED.sub("", canonical.name) == goes_by):
        what = f"it is called {live.name}" if diff.present.named else "it has no name"
        changes.append((f"job_name => {literal(declared.name)}", what))
    if canonical.schedule != live.schedule:
        changes.append((f"schedule_interval => {intervals.sql(declared.schedule)}", f"it runs every {live.schedule}"))
    if canonical.config != live.config:
        changes.append((f"config => {literal(declared.config or '{}')}", f"config is {live.config or 'none'}"))
    if canonical.paused != live.paused:
        changes.append((f"scheduled => {'false' if canonical.paused else 'true'}",
                      "it is paused" if live.paused else "it is not paused"))
    if canonical.fixed_schedule != live.fixed_schedule:
        changes.append((f"fixed_schedule => {'true' if canonical.fixed_schedule else 'false'}",
                      f"its schedule is {'fixed' if live.fixed_schedule else 'counted from the last end'}"))
    if canonical.check != live.check:
        changes.append((f"check_config => {literal(ident(canonical.check or ''))}",
                        f"its config is checked by {live.check or 'nothing'}"))
    changes += job_settings.changes(replace(canonical, fixed_schedule=live.fixed_schedule), live)
    return changes


def settle(canonical: Job, live: Job | None) -> Job:
    """Return the declared job with live values for what is left to the server and for what is equal."""
    plain = replace(canonical, procedure=canonical.procedure.removeprefix("public."), renamed_from=None, allow=())
    if live is None:
        return plain
    same = _document(plain.config) == _document(live.config)
    return replace(
        plain, config=live.config if same else plain.config,
        schedule=live.schedule if intervals.same(plain.schedule, live.schedule) else plain.schedule,
        check=live.check if plain.check is None else plain.check.removeprefix("public."),
        **job_settings.settled(plain, live))


def _document(config: str | None) -> Any:
    """What a job's config means: none and an empty one are the same."""
    return json.loads(config or "{}") or {}


def errors(job: Job) -> Iterable[str]:
    """A comment, durations that are no interval, a config that is no JSON object."""
    if job.comment is not None:
        yield f"{job.full_name}: TimescaleDB keeps no comment on a job; take it away"
    try:
        intervals.length(job.schedule)
    except DeclarationError as error:
        yield f"{job.full_name}.schedule: {error}"
    yield from job_settings.errors(job.full_name, job)
    try:
        document = json.loads(job.config or "{}")
    except ValueError as error:
        yield f"{job.full_name}.config: it is no JSON ({error}); write a JSON object"
    else:
        if not isinstance(document, dict):
            yield f"{job.full_name}.config: it is {type(document).__name__} and must be a JSON object"


KIND = Kind(
    Job, resource="schema:Job", page="job.md", read=jobs.read, find=jobs.read_declared, server_words=None,
    settle=settle, steps=steps, lint=errors,
    drops=(Drop("job", "SELECT delete_job({})", Hazard.DROPS_JOB, first=True),))
