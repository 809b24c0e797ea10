"""The background jobs of policies, of tables and of aggregates, as values."""

from __future__ import annotations

import json

from schema.catalog.queries import Row
from schema.model import intervals
from schema.model.live import PolicyJob
from schema.model.objects import JobSettings

# What the server gives a policy's job by itself: longest run and pause before another try; that of a refresh is as long
# as its schedule.
DEFAULTS = {"policy_compression": ("00:00:00", "01:00:00"), "policy_retention": ("00:05:00", "00:05:00"),
            "policy_reorder": ("00:00:00", "00:05:00"), "policy_refresh_continuous_aggregate": ("00:00:00", None)}


def policy_job(row: Row) -> PolicyJob:
    """Return the job of one row of `jobs` or `aggregate_jobs`."""
    config = json.loads(row["config"] or "{}")
    after = config.get("compress_after", config.get("drop_after", config.get("index_name")))
    return PolicyJob(row["id"], row["procedure"], None if after is None else str(after), row["schedule"],
                     not row["scheduled"], row["timezone"],
                     config.get("compress_created_before", config.get("drop_created_before")), _settings(row), config)


def _settings(row: Row) -> JobSettings:
    """Return what differs from the server's own choice: a start at a full second was chosen by somebody."""
    longest, pause = DEFAULTS[row["procedure"]]
    start = row["initial_start"]
    return JobSettings(
        initial_start=start, timezone=row["timezone"],
        fixed_schedule=None if row["fixed_schedule"] == (start is not None) else row["fixed_schedule"],
        max_runtime=_other(row["max_runtime"], longest), max_retries=None if row["max_retries"] == -1 else
        row["max_retries"], retry_period=_other(row["retry_period"], pause or row["schedule"]))


def _other(text: str, usual: str) -> str | None:
    return None if intervals.same(text, usual) else text
