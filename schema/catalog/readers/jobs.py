"""Read user-defined jobs and find which one each declared job is: by its name where the server has names, else by its
procedure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from psycopg import Connection

from schema.capabilities import Capabilities
from schema.catalog.queries import Row, rows
from schema.model.live import LiveJob
from schema.model.objects import Job


def read(connection: Connection[Any], capabilities: Capabilities, schema: str,
         names: Sequence[str]) -> dict[str, LiveJob]:
    """The jobs of these names, in whatever schema their procedures are; one without a name goes by its procedure's."""
    found: dict[str, LiveJob] = {}
    for job in read_all(connection, capabilities):
        if job.object.name in names:
            found.setdefault(job.object.name, replace(job, object=replace(job.object, schema=schema)))
    return found


def read_all(connection: Connection[Any], capabilities: Capabilities) -> list[LiveJob]:
    """All user-defined jobs, oldest first, in one query."""
    return [_live(row) for row in rows(connection, "user_jobs")] if capabilities.community else []


def read_declared(connection: Connection[Any], capabilities: Capabilities,
                  declared: Sequence[Job]) -> dict[str, LiveJob]:
    """The live jobs that the declared ones are, by the declared ones' full names; absent ones are absent."""
    return match(read_all(connection, capabilities), declared)


def match(live: Sequence[LiveJob], declared: Sequence[Job]) -> dict[str, LiveJob]:
    """Which live job is which declared one. First goes a job of the declared name, or the former one; then one without
    a name, or under a name of its own, that runs the procedure and that no other declaration claims."""
    names = {name for each in declared for name in (each.name, each.renamed_from) if name}
    free = list(live)
    found: dict[str, list[LiveJob]] = {each.full_name: [] for each in declared}
    for each in declared:
        for job in [job for job in free if job.named and job.object.name in (each.name, each.renamed_from)]:
            found[each.full_name].append(job)
            free.remove(job)
    for each in declared:
        mine = found[each.full_name]
        for job in [job for job in free if _procedure(job.object) == _procedure(each)]:
            foreign = job.named and job.object.name not in names
            if not mine or (not foreign and _same_work(job.object, mine[0].object, each)):
                mine.append(job)
                free.remove(job)
    return {each.full_name: _first(each, jobs) for each in declared if (jobs := found[each.full_name])}


def _first(declared: Job, jobs: Sequence[LiveJob]) -> LiveJob:
    """The job that is kept: the oldest of the declared procedure; all others are its doubles."""
    kept = min(jobs, key=lambda job: (_procedure(job.object) != _procedure(declared), job.id))
    name = kept.object.name if kept.named else declared.name
    return replace(kept, object=replace(kept.object, name=name, schema=declared.schema),
                   doubles=tuple(sorted(job.id for job in jobs if job is not kept)))


def _same_work(job: Job, kept: Job, declared: Job) -> bool:
    configs = [json.loads(each.config or "{}") for each in (job, kept, declared)]
    return configs[0] in configs[1:]


def _procedure(job: Job) -> str:
    return job.procedure.removeprefix("public.")


def _live(row: Row) -> LiveJob:
    name = row["name"] or row["procedure"].rpartition(".")[2]
    job = Job(name=name, procedure=row["procedure"], schedule=row["schedule"], config=row["config"],
              paused=row["paused"], fixed_schedule=row["fixed_schedule"], timezone=row["timezone"],
              max_runtime=row["max_runtime"], max_retries=row["max_retries"], retry_period=row["retry_period"])
    return LiveJob(job, row["id"], row["name"] is not None)
