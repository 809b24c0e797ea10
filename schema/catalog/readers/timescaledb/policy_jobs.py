"""The background jobs of policies, of tables and of aggregates, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping

from schema.catalog.queries import Row
from schema.model import intervals, job_settings
from schema.model.live.jobs import PolicyJob
from schema.model.objects import Compression, JobSettings, Refresh, Reorder, Retention

POLICIES: Mapping[str, type[JobSettings]] = {
    "policy_compression": Compression, "policy_retention": Retention, "policy_reorder": Reorder,
    "policy_refresh_continuous_aggregate": Refresh}


def policy_job(row: Row) -> PolicyJob:
    """Return the job of one row of `jobs` or `aggregate_jobs`."""
    config = json.loads(row["config"] or "{}")
    after = config.get("compress_after", config.get("drop_after", config.get("index_name")))
    return PolicyJob(row["id"], row["procedure"], None if after is None else str(after), row["schedule"],
                     not row["scheduled"], row["timezone"],
                     config.get("compress_created_before", config.get("drop_created_before")), _settings(row), config)


def _settings(row: Row) -> JobSettings:
    """Return what differs from the server's own choice: a start at a full second was chosen by somebody."""
    longest, pause = job_settings.OWN[POLICIES[row["procedure"]]]
    start = row["initial_start"]
    retries = row["max_retries"]
    return JobSettings(
        initial_start=start, timezone=row["timezone"],
        fixed_schedule=None if row["fixed_schedule"] == (start is not None) else row["fixed_schedule"],
        max_runtime=_other(row["max_runtime"], longest),
        max_retries=None if retries == job_settings.OWN_RETRIES else retries,
        retry_period=_other(row["retry_period"], pause or row["schedule"]))


def _other(text: str, usual: str) -> str | None:
    return None if intervals.same(text, usual) else text
