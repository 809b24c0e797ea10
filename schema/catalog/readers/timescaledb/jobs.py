"""Read user-defined jobs and match them with declared ones: by name where the server has names, else by procedure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.model import intervals
from schema.model.live.jobs import LiveJob
from schema.model.objects import Job


def read(connection: Connection[Any], capabilities: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveJob]:
    """Read the jobs of these names, by name, whatever schema their procedures are in.

    A job without a name has its procedure's.
    """
    by_name: dict[str, LiveJob] = {}
    for job in read_all(connection, capabilities):
        if job.object.name in names:
            by_name.setdefault(job.object.name, replace(job, object=replace(job.object, schema=schema)))
    return by_name


def read_all(connection: Connection[Any], capabilities: Capabilities) -> list[LiveJob]:
    """Read all user-defined jobs, oldest first, in one query."""
    return [_live(row) for row in rows(connection, "user_jobs")] if capabilities.community else []


def read_declared(connection: Connection[Any], capabilities: Capabilities,
                  declared: Sequence[Job]) -> dict[str, LiveJob]:
    """Read the live jobs that match the declared ones, by the declared full names; missing ones are absent."""
    return match(read_all(connection, capabilities), declared)


def match(live: Sequence[LiveJob], declared: Sequence[Job]) -> dict[str, LiveJob]:
    """Match live jobs with declared ones, by the declared full names.

    A job of the declared or former name comes first; then one without a name, or with a name that is not declared, that
    runs the same procedure and that no other declaration has taken: the most similar one of several.
    """
    names = {name for wanted in declared for name in (wanted.name, wanted.renamed_from) if name}
    free = list(live)
    matches: dict[str, list[LiveJob]] = {wanted.full_name: [] for wanted in declared}
    for wanted in declared:
        for job in [job for job in free if job.named and job.object.name in (wanted.name, wanted.renamed_from)]:
            matches[wanted.full_name].append(job)
            free.remove(job)
    by_likeness = sorted(((wanted, job) for wanted in declared for job in free
                          if not matches[wanted.full_name] and _procedure(job.object) == _procedure(wanted)),
                         key=lambda pair: -_likeness(*pair))
    for wanted, job in by_likeness:
        if job in free and not matches[wanted.full_name]:
            matches[wanted.full_name].append(job)
            free.remove(job)
    for wanted in declared:
        matched = matches[wanted.full_name]
        for job in [job for job in free if matched and _procedure(job.object) == _procedure(wanted)]:
            foreign = job.named and job.object.name not in names
            if not foreign and _same_work(job.object, matched[0].object, wanted):
                matched.append(job)
                free.remove(job)
    return {wanted.full_name: _first(wanted, jobs) for wanted in declared if (jobs := matches[wanted.full_name])}


def _likeness(wanted: Job, job: LiveJob) -> int:
    """How much of the declaration a job of the same procedure has already; its config counts more than all else."""
    live = job.object
    one, other = (json.loads(candidate.config or "{}") for candidate in (wanted, live))
    same = [one == other, one == other, one == other, intervals.same(wanted.schedule, live.schedule),
            wanted.timezone in (None, live.timezone)]
    return sum(same)


def _first(declared: Job, jobs: Sequence[LiveJob]) -> LiveJob:
    """Choose the job to keep, the oldest of the declared procedure; the others become its duplicates."""
    kept = min(jobs, key=lambda job: (_procedure(job.object) != _procedure(declared), job.id))
    name = kept.object.name if kept.named else declared.name
    return replace(kept, object=replace(kept.object, name=name, schema=declared.schema),
                   doubles=tuple(sorted(job.id for job in jobs if job is not kept)))


def _same_work(job: Job, kept: Job, declared: Job) -> bool:
    configs = [json.loads(candidate.config or "{}") for candidate in (job, kept, declared)]
    return configs[0] in configs[1:]


def _procedure(job: Job) -> str:
    return job.procedure.removeprefix("public.")


def _live(row: Row) -> LiveJob:
    name = row["name"] or row["procedure"].rpartition(".")[2]
    job = Job(name=name, procedure=row["procedure"], schedule=row["schedule"], config=row["config"],
              paused=row["paused"], fixed_schedule=row["fixed_schedule"], timezone=row["timezone"],
              max_runtime=row["max_runtime"], max_retries=row["max_retries"], retry_period=row["retry_period"],
              initial_start=row["initial_start"],
              check=row["check"])
    return LiveJob(job, row["id"], row["name"] is not None)
