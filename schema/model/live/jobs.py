"""Live background jobs, and the policies that they carry out; pure values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from schema.model.objects import Compression, Job, JobSettings, Refresh, Reorder, Retention

# What the config of a refresh job says of its batches, as Refresh has it, too.
BATCHES = ("buckets_per_batch", "max_batches_per_execution", "refresh_newest_first", "include_tiered_data")


@dataclass(frozen=True)
class PolicyJob:
    """The background job of a policy; `after` is compress_after, drop_after or index_name of its config.

    `created_before` is its limit where it goes by the chunks' creation. `settings` are those that differ from what the
    server chooses by itself; `timezone` is the job's own.
    """

    id: int
    procedure: str
    after: str | None
    schedule: str
    paused: bool
    timezone: str | None = None
    created_before: str | None = None
    settings: JobSettings = field(default_factory=JobSettings)
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def window(self) -> str:
        """The part of the data that a refresh policy works on, for people."""
        return f"from {self.config.get('start_offset') or 'the beginning'} to {self.config.get('end_offset') or 'now'}"


@dataclass(frozen=True)
class LiveJob:
    """A live user-defined job; `named` is False where the server keeps no name for it. `doubles` are the numbers of
    other jobs that do the same."""

    object: Job
    id: int
    named: bool
    doubles: tuple[int, ...] = ()


def compression_of(settings: Compression | None, jobs: tuple[PolicyJob, ...]) -> Compression | None:
    """The columnstore settings with what the table's first columnstore job adds to them."""
    job = next((job for job in jobs if job.procedure == "policy_compression"), None)
    if settings is None or job is None:
        return settings
    return replace(settings, after=job.after, created_before=job.created_before, schedule=job.schedule,
                   paused=job.paused, **_settings(job))


def retention_of(jobs: tuple[PolicyJob, ...]) -> Retention | None:
    """What the table's first retention job says."""
    job = next((job for job in jobs if job.procedure == "policy_retention"), None)
    return Retention(job.after, job.schedule, job.paused, job.created_before, **_settings(job)) if job else None


def reorder_of(jobs: tuple[PolicyJob, ...]) -> Reorder | None:
    """What the table's first reorder job says."""
    return next((Reorder(job.after, job.schedule, job.paused, **_settings(job)) for job in jobs
                 if job.procedure == "policy_reorder" and job.after), None)


def refreshes_of(jobs: tuple[PolicyJob, ...]) -> tuple[Refresh, ...]:
    """What the aggregate's refresh jobs say, oldest first."""
    return tuple(refresh_of(job) for job in jobs if job.procedure == "policy_refresh_continuous_aggregate")


def refresh_of(job: PolicyJob) -> Refresh:
    """What one refresh job says."""
    start, end = (None if job.config.get(key) is None else str(job.config[key])
                  for key in ("start_offset", "end_offset"))
    return Refresh(start, end, job.schedule, job.paused, **{key: job.config.get(key) for key in BATCHES},
                   **_settings(job))


def _settings(job: PolicyJob) -> dict[str, Any]:
    return {setting.name: getattr(job.settings, setting.name) for setting in fields(JobSettings)}
