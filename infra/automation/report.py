"""The report on a stack: where its servers are, what they hold, how to connect, what is left out. Without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.conninfo import conninfo_to_dict
from rich.console import Console, Group
from rich.text import Text

from backups.config import Due
from backups.schedule import next_due
from infra.automation.inspection import JobFailure, PolicyFacts, ServerFacts, StandbyFacts, TableFacts, read_server
from infra.automation.screen import Heading, Pairs, Row, Rows, keep_together, show
from schema.connection import Address

Outputs = Mapping[str, Any]
# What to do about a job's error, by SQLSTATE; for any other the message has to be enough.
REMEDIES = {
    "55P03": "wait, for others held a lock for too long",
    "40P01": "wait, for it and others waited for each other's locks",
    "57014": "see who cancelled it, or whether it takes longer than the role's statement_timeout",
    "53100": "make room on the server's disk", "53200": "give the server more memory (lifecompanion:memory)",
    "42501": "bring the stack up: its roles are given what they need",
    "42P01": "bring the stack up: what the job works on is made as declared",
    "42703": "bring the stack up: what the job works on is made as declared",
}


class OutputsError(Exception):
    """The stack's outputs lack what a command needs; the message is one line with the remedy."""


def login_address(outputs: Outputs, role: str) -> Address:
    """Return the address by which `role` logs in to the stack's primary, password included. Raises OutputsError."""
    logins = outputs.get("logins") or {}
    if not logins:
        raise OutputsError("the stack has no database yet; bring it up first with `make up`")
    if role not in logins:
        raise OutputsError(f"role {role}: no such login (there are: {', '.join(sorted(logins))})")
    parts = conninfo_to_dict(str(logins[role]["dsn"]))
    return Address.from_dict({**parts, "database": parts["dbname"]})


def show_report(console: Console, stack: str, outputs: Outputs) -> None:
    """Read the stack's server and print the report. Raises OutputsError, ServerUnreachableError."""
    show(console, render(stack, outputs, read_server(login_address(outputs, "admin")), datetime.now(UTC)))


def render(stack: str, outputs: Outputs, server: ServerFacts, now: datetime) -> Group:
    """Build the report for rich to print; pure."""
    return Group(
        Text(""), Heading(f"LifeCompanion, stack {stack}: {_versions(server)}"), Text(""),
        _places(outputs, server.standbys), Text(""), _tables(server, now), Text(""),
        *(part for failure in server.failures for part in _failed(failure, stack, now)), _rest(outputs, stack))


def _versions(server: ServerFacts) -> str:
    if server.timescaledb is None:
        return f"PostgreSQL {server.postgresql}, without TimescaleDB"
    edition = {"timescale": "Community", "apache": "Apache"}.get(server.edition or "", server.edition or "unknown")
    return f"TimescaleDB {server.timescaledb} ({edition} edition) on PostgreSQL {server.postgresql}"


def _places(outputs: Outputs, standbys: Sequence[StandbyFacts]) -> Pairs:
    primary = outputs.get("primary") or {}
    container = f"  container {primary['container']}" if primary.get("container") else ""
    rows = [("primary", f"{primary.get('host')}:{_port(primary)}/{primary.get('database')}{container}")]
    rows += [("replica", f"{replica.get('host')}:{_port(replica)}  {_lag(str(replica.get('name')), standbys)}")
             for replica in outputs.get("replicas") or ()]
    image = f"  image {outputs['image']}" if outputs.get("image") else ""
    return Pairs([("target", f"{outputs.get('target')}{image}"), *rows])


def _lag(name: str, standbys: Sequence[StandbyFacts]) -> str:
    """How far the standby is behind, as the primary reports it; a standby is found by its application name."""
    for standby in standbys:
        if _plain(name).endswith(_plain(standby.name)):
            seconds = "" if standby.behind_seconds is None else f", {standby.behind_seconds:.1f} s"
            return f"{standby.state}, {_size(standby.behind_bytes or 0)}{seconds} behind"
    return "not streaming from this primary"


def _plain(name: str) -> str:
    """A replica's name as its slot has it, with underscores."""
    return name.replace("-", "_")


def _tables(server: ServerFacts, now: datetime) -> Rows:
    """Each table, and below it its policies with their next runs."""
    rows = []
    for facts in server.tables:
        name = f"{facts.name} (aggregate)" if facts.aggregate else facts.name
        rows.append(Row((name, f"{'~' if facts.estimated else ''}{facts.rows:,}", _size(facts.size_bytes),
                         _chunks(facts)),
                        [_policy(policy, now) for policy in server.policies if policy.table == facts.name]))
    return Rows(("table", "rows", "size", "chunks"), rows)


def _chunks(facts: TableFacts) -> str:
    if facts.chunks is None:
        return ""
    return f"{facts.chunks}, {facts.compressed} compressed" if facts.compressed else str(facts.chunks)


def _policy(policy: PolicyFacts, now: datetime) -> str:
    failed = ", LAST RUN FAILED" if policy.last_status == "Failed" else ""
    when = "running now" if policy.runs_now else _when(policy.next_start, now)
    return f"{policy.kind}{' ' if policy.after else ''}{policy.after} ({when}{failed})"


def _when(instant: datetime | None, now: datetime) -> str:
    if instant is None or instant.year < 2000:
        return "unscheduled"
    minutes = (instant - now).total_seconds() / 60
    if minutes <= 1:
        return "due now"
    return f"in {minutes:.0f} min" if minutes < 90 else f"in {minutes / 60:.0f} h"


def _failed(failure: JobFailure, stack: str, now: datetime) -> tuple[Pairs, Text, Text]:
    """What failed and when, the server's message, and what to do; the command has a line of its own."""
    when = "" if failure.started is None else f", {_ago(failure.started, now)}"
    times = "" if failure.failures < 2 else f", {failure.failures} times in all"
    why = failure.error or "the server has not kept its error; its log has it"
    remedy = REMEDIES.get(failure.code or "", "put right what it says")
    scheduled = _when(failure.next_start, now)
    again = "run it by" if scheduled == "unscheduled" else f"it runs again {scheduled}, or at once by"
    command = f"  lcdb connect --stack {stack} --role owner -- -c 'CALL run_job({failure.job_id})'"
    return (Pairs([("job failed", f"{failure.job} (job {failure.job_id}){when}{times}"), ("why", why),
                   ("what to do", f"{remedy}; {again}")]),
            Text(command, no_wrap=True, overflow="ignore"), Text(""))


def _ago(instant: datetime, now: datetime) -> str:
    minutes = max((now - instant).total_seconds() / 60, 0)
    return f"{minutes:.0f} min ago" if minutes < 90 else f"{minutes / 60:.0f} h ago" if minutes < 48 * 60 else \
        f"on {instant:%Y-%m-%d}"


def _rest(outputs: Outputs, stack: str) -> Pairs:
    rows: list[tuple[str, str]] = []
    bucket = outputs.get("bucket") or {}
    if bucket.get("name"):
        rows.append(("bucket", f"{bucket['name']}  {bucket.get('endpoint') or bucket.get('region') or ''}".rstrip()))
        rows += [("", f"without {left}") for left in bucket.get("left_out") or ()]
    else:
        rows.append(("bucket", "none in this stack"))
    rows.append(("next backup", _next_backup(outputs, stack)))
    logins = ", ".join(sorted(outputs.get("logins") or {}))
    rows += [("connect", f"lcdb connect --stack {stack} --role app"), ("", f"roles: {logins}"),
             ("Laravel", f"lcdb outputs laravel --stack {stack}")]
    left_out = [str(line) for line in outputs.get("leaves_out") or ()]
    rows += [("left out" if number == 0 else "", line) for number, line in enumerate(left_out)]
    return Pairs(rows)


def _next_backup(outputs: Outputs, stack: str) -> str:
    """When the schedule takes the next backup; without a schedule, the command that takes one."""
    if not (outputs.get("bucket") or {}).get("name"):
        return "none: there is no bucket"
    schedule = [Due(**due) for due in outputs.get("schedule") or () if due["kind"] not in ("drill", "prune")]
    if not schedule:
        return ("none is scheduled (lifecompanion:backupSchedule); take one: "
                + keep_together(f"lcdb backup run --stack {stack}"))
    now = datetime.now(UTC)
    moment, kind = min((next_due(due, now), str(due.kind)) for due in schedule)
    return f"{kind}, {moment:%Y-%m-%d %H:%M} UTC; see {keep_together(f'lcdb backup status --stack {stack}')}"


def _port(place: Mapping[str, Any]) -> int:
    return int(place.get("port") or 0)


def _size(size_bytes: int) -> str:
    size = float(max(size_bytes, 0))
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
