"""User-defined jobs: what TimescaleDB has no place for, and what it could not read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from schema.errors import DeclarationError
from schema.model import intervals
from schema.model.objects import Job, Object


def errors(objects: Sequence[Object]) -> Iterable[str]:
    """A comment, durations that are no interval, a config that is no JSON object."""
    for each in objects:
        if isinstance(each, Job):
            yield from _job(each)


def _job(job: Job) -> Iterable[str]:
    if job.comment is not None:
        yield f"{job.full_name}: TimescaleDB keeps no comment on a job; take it away"
    for key in ("schedule", "max_runtime", "retry_period"):
        try:
            intervals.length(getattr(job, key) or "0")
        except DeclarationError as error:
            yield f"{job.full_name}.{key}: {error}"
    try:
        document = json.loads(job.config or "{}")
    except ValueError as error:
        yield f"{job.full_name}.config: it is no JSON ({error}); write a JSON object"
    else:
        if not isinstance(document, dict):
            yield f"{job.full_name}.config: it is {type(document).__name__} and must be a JSON object"
