"""The schedule: run what is due or was missed and notify the webhook. Its only state is the catalogue in the bucket."""

from __future__ import annotations

import http.client
import json
import shutil
import time
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from cronsim import CronSim
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from backups.config import PHYSICAL_KINDS, BackupConfig, Due
from backups.drill.logical_drill import Drill, run_drill
from backups.drill.physical_drill import drill_physical
from backups.errors import BackupError, BusyError, NotProvenError
from backups.logical.catalog import STAMP, Listed, find_backup, has_come, list_backups, newest_moment, parse_stamp
from backups.logical.retention import prune
from backups.monitoring.objectives import nears_target, read_objectives
from backups.operations import take_logical
from backups.physical.backup import take_physical
from backups.physical.catalog import PhysicalEntry, list_physical
from backups.physical.retention import prune_physical
from backups.storage.object_store import Store
from schema.errors import SchemaError

Say = Callable[[str], None]
ATTEMPTS = 5
FAILURES = (BackupError, SchemaError, psycopg.Error, OSError)
TICK_SECONDS = 20.0
# How often the time that a recovery would take is compared with its target.
LOOK_SECONDS = 600.0
# What these kinds of run leave in the bucket for the next to see; a backup is seen itself.
MARKS, MARKED = "runs/", ("prune", "drill")
# An incremental that was missed is made up for by any physical backup since, a differential by a full one.
SERVED_BY = {"full": ("full",), "diff": ("full", "diff"), "incr": ("full", "diff", "incr")}


def last_due(due: Due, now: datetime) -> datetime | None:
    """The last time at or before `now` that the cron expression names, in UTC; None where it never matched."""
    since = (now + timedelta(microseconds=1)).astimezone(ZoneInfo(due.timezone))  # it says what comes before
    newest = next(CronSim(due.cron, since, reverse=True), None)
    if newest is None:
        return None
    # Backwards, it passes over a moment or two where summer time ends.
    moments = (moment.astimezone(UTC) for moment in CronSim(due.cron, newest))
    return max(takewhile(lambda moment: moment <= now, moments), default=newest.astimezone(UTC))


def next_due(due: Due, now: datetime) -> datetime:
    """The first time after `now` that the cron expression names, in UTC."""
    return next(CronSim(due.cron, now.astimezone(ZoneInfo(due.timezone)))).astimezone(UTC)


def is_due(due: Due, last_run: datetime | None, now: datetime) -> bool:
    """Whether the schedule named a time since the last run; several missed times count as one. Pure."""
    moment = last_due(due, now)
    return moment is not None and (last_run is None or last_run < moment)


def read_last_run(store: Store, database: str, due: Due, physical: Sequence[PhysicalEntry]) -> datetime | None:
    """When the last successful run of this kind started; None where there is none. Times in the future do not count.

    For a physical backup, a run of a kind that includes this one counts as well (a full backup for a differential one).
    """
    if due.kind == "logical":
        taken = [entry.taken for entry in list_backups(store, database) if entry.proven]
    elif due.kind in SERVED_BY:
        taken = [entry.taken for entry in physical if entry.proven and entry.kind in SERVED_BY[due.kind]]
    else:
        marks = (key.rsplit("/", 1)[1] for key, _ in store.objects(f"{database}/{MARKS}{due.kind}/"))
        taken = [moment for moment in map(parse_stamp, marks) if moment]
    return max(filter(has_come, taken), default=None)


def run_due(config: BackupConfig, say: Say, now: datetime | None = None) -> list[str]:
    """Run everything due or missed, in order, each with retries; returns the kinds that failed."""
    return _run_due(config, say, now)[0]


def _run_due(config: BackupConfig, say: Say, now: datetime | None) -> tuple[list[str], list[str]]:
    """The same; with it, the kinds that are still due, as another run of them was going on."""
    failed, busy = list[str](), list[str]()
    store, database = config.store(), config.database_name()
    physical: Sequence[PhysicalEntry] | None = None
    for due in config.schedule:
        started = datetime.now(UTC)
        try:
            if physical is None and due.kind in SERVED_BY:
                physical = list_physical(store, database)  # once for all of them: this is asked every few seconds
            if not is_due(due, read_last_run(store, database, due, physical or ()), now or started):
                continue
            say(f"{due.kind}: due, begins")
            physical = None  # after a run there may be one more
            outcome = _retry(partial(_run, config, store, due, now or started), say, due)
            if due.kind in MARKED:
                store.put(f"{database}/{MARKS}{due.kind}/{started.strftime(STAMP)}", b"")
            say(f"{due.kind}: {outcome}")
            notify(config, {"database": database, "kind": due.kind, "ok": True, "message": outcome}, say)
        except BusyError as error:
            busy.append(due.kind)
            say(f"{due.kind}: {error}")
        except Exception as error:  # noqa: BLE001 (whatever it is, it is told, and the other kinds have their turn)
            failed.append(due.kind)
            words = _words(error)
            say(f"{due.kind}: FAILED: {words}")
            notify(config, {"database": database, "kind": due.kind, "ok": False, "message": words}, say)
    return failed, busy


def keep_target(config: BackupConfig, say: Say) -> None:
    """Take an incremental backup outside the schedule where the expected recovery time approaches its target.

    Failures are reported through `say` and do not stop the schedule.
    """
    if config.physical is None or config.admin is None:
        return
    try:
        entries = list_physical(config.store(), config.database_name())
        objectives = read_objectives(config, entries)
        if nears_target(objectives, entries):
            say(f"incr: out of turn: {objectives.describe()}")
            say(f"incr: physical backup {take_physical(config, 'incr').id}, verified")
    except Exception as error:  # noqa: BLE001 (the schedule goes on)
        say(f"incr: out of turn: FAILED: {_words(error)}")


def _words(error: Exception) -> str:
    """What went wrong in one line; of what nobody foresaw, its kind too."""
    words = " ".join(str(error).split())
    return words if isinstance(error, FAILURES) else f"{type(error).__name__}: {words}"


def serve_schedule(config: BackupConfig, say: Say, *, tick_seconds: float = TICK_SECONDS,
                   until: Callable[[], bool] = lambda: False, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
                   ) -> None:
    """Run what is due until `until` returns True; after a failure it retries after growing delays of up to an hour.

    The bucket is read at the start and whenever a time of the schedule has come, so backups taken by hand count.
    """
    failures, resume, look, wait_until = 0, 0.0, 0.0, clock()
    asked, failed = wait_until, list[str]()
    for due in config.schedule:
        say(f"{due.kind}: {due.cron} {due.timezone}, next {next_due(due, datetime.now(UTC)):%Y-%m-%d %H:%M} UTC")
    while not until():
        now = clock()
        # A clock that was set back would else wait for a moment that it takes for far away.
        if time.monotonic() >= resume and (now >= wait_until or now < asked):
            asked = now
            failed, busy = _run_due(config, say, now)
            failures = failures + 1 if failed else 0
            resume = time.monotonic() + min(3600.0, 60.0 * 2 ** min(failures, 6)) if failures else 0.0
            if not failed and not busy:
                # Counted from before the runs: they may have taken longer than until the next moment.
                wait_until = min((next_due(due, now) for due in config.schedule), default=datetime.max.replace(
                    tzinfo=UTC))
        # Where a physical backup has just failed, another one would too.
        if PHYSICAL_KINDS.isdisjoint(failed) and time.monotonic() >= look:
            keep_target(config, say)
            look = time.monotonic() + LOOK_SECONDS
        time.sleep(tick_seconds)


def notify(config: BackupConfig, facts: dict[str, Any], say: Say) -> None:
    """POST the facts as JSON to the webhook, if set; a failure is reported through `say` and changes nothing."""
    if config.webhook is None:
        return
    request = urllib.request.Request(
        config.webhook.get_secret_value(), data=json.dumps(facts).encode(),
        headers={"Content-Type": "application/json"})
    if request.type not in ("http", "https"):
        say("webhook: neither http nor https; correct it")
        return
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        say(f"webhook: not delivered ({type(error).__name__})")  # its address may hold a token


def _retry(run: Callable[[], str], say: Say, due: Due) -> str:
    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        say(f"{due.kind}: attempt {state.attempt_number} failed: {error}")
    return Retrying(stop=stop_after_attempt(ATTEMPTS), wait=wait_random_exponential(2, max=300), reraise=True,
                    retry=retry_if_exception_type(FAILURES) & _not_final(), before_sleep=tell)(run)


def _not_final() -> Any:
    """At once nothing would be different: another run is going on, or a whole restore would come to the same end."""
    from tenacity import retry_if_not_exception_type

    return retry_if_not_exception_type((BusyError, NotProvenError))


def _run(config: BackupConfig, store: Store, due: Due, now: datetime) -> str:
    database = config.database_name()
    if due.kind == "logical":
        manifest = take_logical(config)
        return f"backup {manifest.id}, {manifest.rows} rows, verified"
    if due.kind == "prune":
        deleted, kept = 0, 0
        for done in (prune(store, config.keyring(), database, config.retention),
                     *([prune_physical(config)] if config.physical and config.admin else [])):
            deleted, kept = deleted + len(done.deleted), kept + len(done.kept)
        return f"deleted {deleted} backups, kept {kept}"
    if due.kind == "drill":
        return _drill(config, store, last_due(due, now) or now)
    taken = take_physical(config, due.kind)
    return f"physical backup {taken.id}, {taken.stored_bytes / 1e6:.1f} MB stored, verified"


def _drill(config: BackupConfig, store: Store, since: datetime) -> str:
    """The newest backup of each kind restored and proven, each once since that moment, which may have been by hand.

    Raises NotProvenError that names what was not.
    """
    results, problems, database = list[str](), list[str](), config.database_name()
    physical = list_physical(store, database) if config.physical else []
    logical, idle = list_backups(store, database), config.drill_server()
    if logical or not physical:
        entry = find_backup(store, database, entries=logical)
        _judge(entry, since, lambda: run_drill(
            store, config.keyring(), entry, image=config.image, timestamps=config.timestamps,
            admin=idle or (config.administrator() if config.admin else None)), results, problems)
    if physical and (idle or shutil.which("docker")):
        _judge(physical[-1], since, lambda: drill_physical(config, physical[-1], idle=idle), results, problems)
    elif physical:
        results.append(f"physical backup {physical[-1].id} not drilled: no docker here; run `lcdb backup drill` "
                       "elsewhere")
    if problems:
        raise NotProvenError("; ".join(problems))
    return "; ".join(results)


def _judge(entry: Listed, since: datetime, run: Callable[[], Drill], results: list[str], problems: list[str]) -> None:
    """What a drill of this backup says. One that was made since stands: the same restore would come to the same end."""
    when = newest_moment((entry.drilled, entry.failed))
    if when is None or when < since:
        drill = run()
        if drill.passed:
            results.append(f"backup {drill.backup} proven, recovered in {drill.recovery_seconds:.1f} s")
        else:
            problems.append(f"drill of {drill.backup}: not proven: {drill.problems[0]}")
    elif when == entry.failed:
        problems.append(f"drill of {entry.id}: not proven on {when:%Y-%m-%d %H:%M} UTC, as its report says; the next "
                        "backup is drilled when it comes, this one again by `lcdb backup drill`")
    else:
        results.append(f"backup {entry.id} proven on {when:%Y-%m-%d %H:%M} UTC")
