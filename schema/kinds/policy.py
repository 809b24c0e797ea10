"""Policies are background jobs: altered in place, so that id, schedule and history stay; doubles are deleted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from schema.model import intervals, job_settings
from schema.model.change.diff import TableDiff
from schema.model.change.step import Action, Hazard, Step, Transaction
from schema.model.live.jobs import PolicyJob
from schema.model.names import ident, literal
from schema.model.objects import Compression, Refresh, Reorder, Retention

Policy = Compression | Retention | Reorder | Refresh
# Settings that the functions which add a policy take; the others are altered afterwards.
WHEN_ADDED = ("initial_start", "timezone")
CREATED = "_created_before"


def delete_duplicates(where: str, jobs: Sequence[int], transaction: Transaction) -> list[Step]:
    """Delete every job but the oldest: several jobs of one policy do the same."""
    return [Step(Action.DROP, where, f"SELECT delete_job({job})", f"job {jobs[0]} does the same",
                 transaction=transaction)
            for job in jobs[1:]]


def limit(key: str, after: str | None, created_before: str | None) -> dict[str, str]:
    """Return the limit of a policy by its key in the job's config; `key` is drop or compress."""
    if created_before is not None:
        return {key + CREATED: created_before}
    return {} if after is None else {f"{key}_after": after}


def addition(function: str, table: str, limits: Mapping[str, str], settings: Policy) -> str:
    """SQL that adds a policy with the settings that are not left to the server."""
    arguments = [literal(ident(table)), *(f"{key} => {_limit_sql(key, value)}" if key.endswith(CREATED) else
                                          intervals.sql(value) for key, value in limits.items())]
    if settings.schedule:
        arguments.append(f"schedule_interval => {intervals.sql(settings.schedule)}")
    return added(function, arguments, settings)


def added(function: str, arguments: Sequence[str], settings: Policy, further: Sequence[str] = ()) -> str:
    """SQL that adds a policy and then gives its job what the function does not take; `further` are such arguments."""
    when = [job_settings.argument(name, getattr(settings, name)) for name in WHEN_ADDED
            if getattr(settings, name) is not None]
    call = f"{function}({', '.join([*arguments, *when])})"
    later = [*further, *(["scheduled => false"] if settings.paused else [])]
    later += [job_settings.argument(name, getattr(settings, name)) for name in job_settings.NAMES
              if name not in WHEN_ADDED and getattr(settings, name) is not None]
    if later and settings.timezone is not None:
        later.append(job_settings.argument("timezone", settings.timezone))
    return f"SELECT (alter_job({', '.join([call, *later])})).job_id" if later else f"SELECT {call}"


def removal(function: str, diff: TableDiff, where: str, jobs: Sequence[PolicyJob]) -> list[Step]:
    """Remove a policy that nobody declares, with its doubles; no step where there is no such policy.

    One that goes by the chunks' creation is left to `undeclared`.
    """
    if not jobs or jobs[0].created_before is not None:
        return []
    doubles = delete_duplicates(where, [job.id for job in jobs], diff.transaction)
    return [*doubles, Step(Action.DROP, where, f"SELECT {function}({literal(ident(diff.name))})",
                           "nobody declares the policy",
                           transaction=diff.transaction)]


def undeclared(diff: TableDiff) -> list[Step]:
    """Remove policies by the chunks' creation that nobody declares: declarations could not name them for long."""
    retention, compression = diff.canonical.retention, diff.canonical.compression
    declared = {"policy_retention": retention is not None,
                "policy_compression": compression is not None and bool(compression.after or compression.created_before)}
    return [Step(Action.DROP, f"{diff.name}.{job.procedure.removeprefix('policy_')}", f"SELECT delete_job({job.id})",
                 "nobody declares the policy", (Hazard.DROPS_JOB,), diff.transaction)
            for job in diff.present.jobs if job.created_before is not None and not declared[job.procedure]]


def alteration(where: str, job: PolicyJob, *, limits: Mapping[str, Any], live_limits: Mapping[str, Any],
               canonical: Policy, live: Policy, transaction: Transaction) -> Step:
    """Alter a job's limits, schedule, pause and settings in one call; the limits are by their key in its config.

    A call that does not repeat the job's time zone would take it away.
    """
    arguments, whys = [str(job.id)], []
    if canonical.schedule != live.schedule and canonical.schedule is not None:
        arguments.append(f"schedule_interval => {intervals.sql(canonical.schedule)}")
        whys.append(f"it runs every {live.schedule}")
    if canonical.paused != live.paused:
        arguments.append(f"scheduled => {'false' if canonical.paused else 'true'}")
        whys.append("it is paused" if live.paused else "it is not paused")
    changed = {key: value for key, value in limits.items() if value != live_limits.get(key)}
    gone = [key for key in live_limits if key not in limits and live_limits[key] is not None]
    if changed or gone:
        arguments.append(f"config => {_config(changed, gone, live_limits)}")
        whys += [f"{key} is {live_limits.get(key) or 'not set'}" for key in (*changed, *gone)]
    settings = job_settings.changes(canonical, live)
    arguments += [argument for argument, _ in settings]
    whys += [why for _, why in settings]
    if job.timezone is not None and canonical.timezone in (None, job.timezone):
        arguments.append(f"timezone => {literal(job.timezone)}")
    sql = f"SELECT (alter_job({', '.join(arguments)})).job_id"
    if changed or gone:
        sql += f" FROM timescaledb_information.jobs WHERE job_id = {job.id}"
    return Step(Action.ALTER, where, sql, "; ".join(whys), transaction=transaction)


def _config(changed: Mapping[str, Any], gone: Sequence[str], live: Mapping[str, Any]) -> str:
    """The job's config with other limits; what else it holds stays."""
    values = {key: _value(key, value) for key, value in changed.items()}
    if len(values) == 1 and not gone and any(live.get(key) is not None for key in values):
        ((key, value),) = values.items()
        return f"jsonb_set(config, '{{{key}}}', {literal(json.dumps(value))})"
    config = f"({' - '.join(['config', *map(literal, gone)])})" if gone else "config"
    return f"{config} || {literal(json.dumps(values))}"


def _value(key: str, value: Any) -> Any:
    """A limit as the config holds it: a number where it is one."""
    if isinstance(value, str) and key != "index_name" and intervals.length(value)[0] == "integer":
        return int(value)
    return value


def _limit_sql(key: str, value: str) -> str:
    return f"interval {literal(value)}" if key.endswith(CREATED) else intervals.sql(value)
